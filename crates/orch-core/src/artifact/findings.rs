//! The list of findings in a review's front matter.

use super::{FrontMatter, Value};
use crate::verdict::Finding;

/// Words that close a finding; every other status, and none, leaves it open.
const CLOSED: [&str; 7] =
    ["closed", "resolved", "fixed", "done", "dismissed", "wontfix", "wont-fix"];

/// A finding as a report lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedFinding {
    /// The finding; its severity is `P0` to `P3`, or as written where it is none of them.
    pub finding: Finding,
    /// False only where its status is a word that closes it.
    pub open: bool,
}

impl ReportedFinding {
    /// True for an open P0 or P1: such a finding forbids approval.
    pub fn blocks(&self) -> bool {
        self.open && matches!(self.finding.severity.as_deref(), Some("P0" | "P1"))
    }

    /// True where the severity is given and is none of `P0` to `P3`.
    pub fn has_unknown_severity(&self) -> bool {
        self.finding.severity.as_deref().is_some_and(|word| known_severity(word).is_none())
    }
}

/// Reads `findings: [{severity: P1, status: open, title: …}]`; an item may also be a line such as
/// `P1: the title`. Absent, empty and `none` are no findings; the error names what is malformed.
pub fn reported_findings(front: &FrontMatter) -> Result<Vec<ReportedFinding>, String> {
    match front.get("findings") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Scalar(scalar)) if scalar.text.trim().eq_ignore_ascii_case("none") => {
            Ok(Vec::new())
        }
        Some(Value::List(items)) => {
            items.iter().enumerate().map(|(index, item)| read(index + 1, item)).collect()
        }
        Some(other) => Err(format!("`findings` is {}; it has to be a list", other.shown())),
    }
}

fn read(number: usize, item: &Value) -> Result<ReportedFinding, String> {
    match item {
        Value::Scalar(scalar) => Ok(from_line(&scalar.text)),
        Value::Map(_) => from_map(number, item),
        Value::Null | Value::List(_) => {
            Err(format!("finding {number} is {}; it has to be a mapping", item.shown()))
        }
    }
}

fn from_line(text: &str) -> ReportedFinding {
    let bare = text.trim_start_matches(['[', '(', ' ', '*']);
    let severity = bare
        .get(..2)
        .and_then(known_severity)
        .filter(|_| !bare[2..].starts_with(|next: char| next.is_alphanumeric()));
    let title = match severity {
        Some(_) => bare[2..].trim_start_matches([']', ')', ':', '*', '-', '–', '—', ' ']),
        None => text,
    };
    let mut finding = titled(title);
    finding.severity = severity.map(str::to_owned);
    ReportedFinding { finding, open: true }
}

fn from_map(number: usize, item: &Value) -> Result<ReportedFinding, String> {
    let field = |key: &str| match item.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Scalar(scalar)) => Ok(Some(scalar.text.trim())),
        Some(other) => {
            Err(format!("`{key}` of finding {number} is {}; it has to be text", other.shown()))
        }
    };
    let severity = field("severity")?.filter(|word| !word.is_empty());
    let status = field("status")?.unwrap_or("open");
    let names = ["title", "summary", "message", "description"];
    let title = names.iter().find_map(|name| item.get(name).and_then(Value::text));
    let detail = ["detail", "details", "body", "description"];
    let detail = detail.iter().find_map(|name| item.get(name).and_then(Value::text));
    let mut finding = titled(title.unwrap_or("a finding without a title"));
    finding.severity = severity.map(|word| known_severity(word).unwrap_or(word).to_owned());
    if let Some(detail) = detail.filter(|detail| Some(*detail) != title) {
        finding = finding.with_detail(detail);
    }
    Ok(ReportedFinding { finding, open: !CLOSED.iter().any(|w| w.eq_ignore_ascii_case(status)) })
}

/// One line of at most 200 characters; the whole text is the detail where that is more.
fn titled(text: &str) -> Finding {
    let text = text.trim();
    let title: String = text.lines().next().unwrap_or_default().chars().take(200).collect();
    let finding = Finding::new(&*title);
    if title.len() < text.len() { finding.with_detail(text) } else { finding }
}

fn known_severity(word: &str) -> Option<&'static str> {
    ["P0", "P1", "P2", "P3"].into_iter().find(|known| known.eq_ignore_ascii_case(word.trim()))
}
