//! Verdict: what a gate says. Never a bool; whatever is not plainly a pass or a fail is refused,
//! and a refusal fails closed.

use serde::{Deserialize, Serialize};

/// What a gate says of a stage's artifacts and evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Everything the gate asks for is there.
    Pass {
        /// What was seen, one line each.
        reasons: Vec<String>,
    },
    /// The work was judged and found wanting.
    Fail {
        /// What was found, for the next brief.
        findings: Vec<Finding>,
    },
    /// It can't be judged: absent, unreadable, contradictory, stale.
    Refused {
        /// Why, one line each; never empty.
        reasons: Vec<String>,
    },
}

impl Verdict {
    /// A refusal for one reason.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reasons: vec![reason.into()] }
    }

    /// The verdict as one word: `pass`, `fail` or `refused`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pass { .. } => "pass",
            Self::Fail { .. } => "fail",
            Self::Refused { .. } => "refused",
        }
    }

    /// Every reason or finding as a line for people.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::Pass { reasons } | Self::Refused { reasons } => reasons.clone(),
            Self::Fail { findings } => findings.iter().map(ToString::to_string).collect(),
        }
    }
}

/// One thing found wanting; it travels into the brief of the next attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// `P0` to `P3`, or `None` where the producer gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// One line.
    pub title: String,
    /// Failing output, conflicting hunks; empty where the title says all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Finding {
    /// A finding without severity or detail.
    pub fn new(title: impl Into<String>) -> Self {
        Self { severity: None, title: title.into(), detail: String::new() }
    }

    /// The same finding with its detail, cut to 16 KiB so that a brief stays bounded.
    #[must_use]
    pub fn with_detail(mut self, detail: &str) -> Self {
        tail(detail, 16 * 1024).clone_into(&mut self.detail);
        self
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.severity {
            Some(severity) => write!(f, "{severity}: {}", self.title),
            None => f.write_str(&self.title),
        }
    }
}

/// The last `max` bytes of a text, cut at a character's boundary: ends are where errors stand.
pub fn tail(text: &str, max: usize) -> &str {
    let mut start = text.len().saturating_sub(max);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}
