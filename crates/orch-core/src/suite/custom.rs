//! Marks that a repository configures for a runner of its own.

use regex_lite::Regex;

use super::report::{Counts, Seen};

/// A pattern that only the suite's own output has. Its groups named `passed`, `failed` and
/// `skipped`, where it has any, are counts; `test` names a failing test.
#[derive(Debug, Clone)]
pub struct Mark(Regex);

/// A pattern that is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pattern:?} is no regular expression: {problem}")]
pub struct MarkError {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Mark {
    /// Reads a pattern, matched against each line on its own.
    pub fn new(pattern: &str) -> Result<Self, MarkError> {
        Regex::new(pattern)
            .map(Self)
            .map_err(|error| MarkError { pattern: pattern.to_owned(), problem: error.to_string() })
    }

    pub(super) fn is_in(&self, lines: &[&str]) -> bool {
        lines.iter().any(|line| self.0.is_match(line))
    }
}

pub(super) fn read(marks: &[Mark], lines: &[&str]) -> Seen {
    let mut seen = Seen::default();
    for mark in marks {
        let groups: Vec<&str> = mark.0.capture_names().flatten().collect();
        for line in lines {
            let Some(found) = mark.0.captures(line) else { continue };
            seen.began = true;
            let number = |name: &str| -> u64 {
                found.name(name).and_then(|text| text.as_str().parse().ok()).unwrap_or(0)
            };
            if groups.iter().any(|group| ["passed", "failed", "skipped"].contains(group)) {
                let (passed, failed, skipped) =
                    (number("passed"), number("failed"), number("skipped"));
                seen.summaries.push(Counts { passed, failed, skipped });
            }
            if let Some(test) = found.name("test") {
                seen.name(test.as_str(), String::new());
            }
        }
    }
    seen
}
