//! `check_architecture_complete`: a decision is written down, or the reason why none is needed.

use super::front::{parse, said_as};
use super::{GateInput, Judged, pass};
use crate::artifact::{ArtifactContent, Value};

const FOLDER: &str = "06-adr/";
/// The file that says why a task needs no ADR.
pub(crate) const NOT_NEEDED_NAME: &str = "not-needed.md";
/// Decisions that stand.
const STANDING: [&str; 2] = ["proposed", "accepted"];
/// Decisions that were taken back: lawful records, but none to build by.
const WITHDRAWN: [&str; 3] = ["rejected", "deprecated", "superseded"];

pub(super) fn check(input: &GateInput<'_>) -> Judged {
    if *input.artifacts.get("06-adr") != ArtifactContent::Absent {
        return Err("06-adr: it has to be a folder, not a file or a link to one".to_owned());
    }
    let mut reasons = Vec::new();
    let mut standing = 0;
    for (path, content) in input.artifacts.iter() {
        let Some(name) = path.strip_prefix(FOLDER).filter(|name| looks_like_adr(name)) else {
            continue;
        };
        let adr = adr_named(path, name, content)?;
        standing += usize::from(adr.standing);
        reasons.push(adr.line(path));
    }
    if standing > 0 {
        return Ok(pass(reasons));
    }
    let path = format!("{FOLDER}{NOT_NEEDED_NAME}");
    match input.artifacts.get(&path) {
        ArtifactContent::Absent => Err(format!(
            "no {FOLDER}ADR-NNN-*.md with `status: proposed` or `accepted`, and no {path} with a \
             `reason`"
        )),
        content => Ok(pass(reasons.into_iter().chain([not_needed(&path, content)?]))),
    }
}

/// A valid ADR.
pub(crate) struct Adr {
    status: String,
    standing: bool,
}

impl Adr {
    /// What was seen, as a line.
    pub(crate) fn line(&self, name: &str) -> String {
        format!("{name}: `status: {}`", self.status)
    }
}

/// True for names that claim to be an ADR, well-formed or not: a slip in the name must not make
/// the file invisible.
pub(crate) fn looks_like_adr(name: &str) -> bool {
    name.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("adr-"))
        && name.get(name.len() - 3..).is_some_and(|end| end.eq_ignore_ascii_case(".md"))
}

/// Judges one ADR by its name and `status`.
pub(crate) fn adr(name: &str, content: &ArtifactContent) -> Result<Adr, String> {
    adr_named(name, name, content)
}

fn adr_named(shown: &str, name: &str, content: &ArtifactContent) -> Result<Adr, String> {
    if !is_numbered(name) {
        return Err(format!(
            "{shown}: an ADR is named ADR-NNN-title.md, such as ADR-001-storage.md"
        ));
    }
    let front = parse(shown, content)?;
    let Some(value) = front.get("status") else {
        return Err(format!("{shown}: no field `status` at the top level of its front matter"));
    };
    let status = value.text().unwrap_or_default().trim().to_lowercase();
    let standing = STANDING.contains(&status.as_str());
    if !standing && !WITHDRAWN.contains(&status.as_str()) {
        return Err(format!(
            "{shown}: `status` is {}; it has to be `proposed` or `accepted` ({} for one taken back)",
            value.shown(),
            WITHDRAWN.join(", "),
        ));
    }
    Ok(Adr { status, standing })
}

fn is_numbered(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("ADR-") else { return false };
    let Some((number, title)) = rest.split_once('-') else { return false };
    number.len() >= 3
        && number.bytes().all(|b| b.is_ascii_digit())
        && title.strip_suffix(".md").is_some_and(|title| !title.is_empty())
}

/// Judges the file that says why no ADR is needed.
pub(crate) fn not_needed(name: &str, content: &ArtifactContent) -> Result<String, String> {
    let front = parse(name, content)?;
    match front.get("reason").and_then(Value::text) {
        Some(reason) if reason.chars().any(char::is_alphanumeric) => {
            Ok(format!("{name}: no ADR is needed: {}", said_as(&front, "reason")))
        }
        _ => Err(format!("{name}: no `reason` in words in its front matter")),
    }
}
