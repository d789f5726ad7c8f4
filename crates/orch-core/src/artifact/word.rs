//! The words of a verdict.

use super::Value;

const PASSING: [&str; 6] = ["PASS", "PASSED", "SUCCESS", "OK", "APPROVED", "READY"];
const FAILING: [&str; 5] = ["FAIL", "FAILED", "ERROR", "REQUEST_CHANGES", "ROLLED_BACK"];

/// What a verdict field says. A word that is neither is not a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictWord {
    /// One of `PASS PASSED SUCCESS OK APPROVED READY`.
    Pass,
    /// One of `FAIL FAILED ERROR REQUEST_CHANGES ROLLED_BACK`.
    Fail,
}

impl VerdictWord {
    /// Reads a word without regard to case; `None` for every other text, `PASS|FAIL` among them.
    pub fn parse(text: &str) -> Option<Self> {
        let word = text.trim_matches([' ', '\t', '\r', '\n']);
        let is = |known: &&str| word.eq_ignore_ascii_case(known);
        if PASSING.iter().any(is) {
            Some(Self::Pass)
        } else if FAILING.iter().any(is) {
            Some(Self::Fail)
        } else {
            None
        }
    }

    /// Reads a field's value; lists, mappings and null are never a verdict.
    pub fn of(value: &Value) -> Option<Self> {
        value.text().and_then(Self::parse)
    }

    /// The words there are, for messages.
    pub fn known() -> String {
        format!("passing: {}; failing: {}", PASSING.join(" "), FAILING.join(" "))
    }
}
