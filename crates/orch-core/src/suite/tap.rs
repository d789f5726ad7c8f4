//! The Test Anything Protocol: top-level points only, as subtests are summed up by their parent.

use super::lines::block;
use super::report::{Counts, Seen};

pub(super) fn read(lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    let mut counts = Counts::default();
    let mut points = 0_u64;
    let mut planned = None;
    let mut document = Document::None;
    for (at, line) in lines.iter().enumerate() {
        if let Some(plan) = line.strip_prefix("1..") {
            let digits = plan.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            planned = digits.parse::<u64>().ok();
            document = document.planned(plan);
        } else if line.starts_with("TAP version ") {
            document = Document::Begun;
        } else if let Some((ok, title)) = point(line) {
            points += 1;
            document = document.point();
            let upper = title.to_uppercase();
            if upper.contains("# SKIP") || upper.contains("# TODO") {
                counts.skipped += 1;
            } else if ok {
                counts.passed += 1;
            } else {
                counts.failed += 1;
                let inside = |line: &str| line.starts_with(' ') || line.starts_with('#');
                let name = if title.is_empty() { *line } else { title };
                seen.name(name, block(lines, at + 1, |line| !inside(line)));
            }
        }
    }
    if points > 0 || planned == Some(0) {
        seen.summaries.push(counts);
    }
    seen.is_open(document.is_open());
    seen
}

/// `not ok 2 - divides`: whether it is ok, and its title.
fn point(line: &str) -> Option<(bool, &str)> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if rest.is_empty() {
        return Some((ok, ""));
    }
    let rest = rest.strip_prefix(' ')?;
    let numbered = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let titled = numbered.trim_start().strip_prefix("- ");
    // A sentence that happens to begin with "ok" has neither a number nor a dash.
    let known = numbered.len() < rest.len() || titled.is_some();
    known.then(|| (ok, titled.unwrap_or(numbered).trim()))
}

/// How far a document has come. Points without a plan and a version promise nothing: the line that
/// did may not have been kept.
enum Document {
    /// None, or one that is whole.
    None,
    /// It has said its version.
    Begun,
    /// Points whose plan may follow them.
    Points {
        /// Its version was said, so that it has a plan.
        begun: bool,
    },
    /// It said its plan first, and so many points are left.
    Left(u64),
}

impl Document {
    fn planned(self, plan: &str) -> Self {
        let plan = plan.split('#').next().unwrap_or_default().trim();
        match (self, plan.parse::<u64>()) {
            (document, Err(_)) => document,
            (Self::Points { .. }, Ok(_)) | (_, Ok(0)) => Self::None,
            (_, Ok(points)) => Self::Left(points),
        }
    }

    fn point(self) -> Self {
        match self {
            Self::None => Self::Points { begun: false },
            Self::Begun => Self::Points { begun: true },
            Self::Left(0 | 1) => Self::None,
            Self::Left(points) => Self::Left(points - 1),
            points @ Self::Points { .. } => points,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self, Self::Begun | Self::Points { begun: true } | Self::Left(_))
    }
}
