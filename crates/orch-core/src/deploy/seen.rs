//! What the probes show. A probe's own fault is never taken for the service's.

use serde::{Deserialize, Serialize};

use crate::ids::Revision;

/// What the health probe shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "health", rename_all = "snake_case")]
pub enum Health {
    /// It answers as it should.
    Healthy,
    /// It answers, and not as it should: positive evidence.
    Unhealthy {
        /// The answer.
        what: String,
    },
    /// Its address is reached and nobody answers there: refused, reset, or silent. Evidence only
    /// where the same probe had an answer before the deploy.
    Down {
        /// What was seen.
        what: String,
    },
    /// The probe itself failed: name, route, TLS, ssh. Evidence of nothing.
    Unreachable {
        /// What failed.
        what: String,
    },
}

/// What the freshness probe shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "running", rename_all = "snake_case")]
pub enum Running {
    /// This revision runs.
    Is {
        /// In full.
        revision: Revision,
    },
    /// Something runs that names itself otherwise.
    Other {
        /// As it named itself.
        text: String,
    },
    /// Its address is reached and nobody says a revision.
    Down {
        /// What was seen.
        what: String,
    },
    /// The probe itself failed. Evidence of nothing.
    Unreachable {
        /// What failed.
        what: String,
    },
}

impl Health {
    /// What the probe's own fault was; `None` where it saw something.
    pub fn unreachable(&self) -> Option<&str> {
        match self {
            Self::Unreachable { what } => Some(what),
            _ => None,
        }
    }
}

impl Running {
    /// What the probe's own fault was; `None` where it saw something.
    pub fn unreachable(&self) -> Option<&str> {
        match self {
            Self::Unreachable { what } => Some(what),
            _ => None,
        }
    }

    /// Whether something said what runs.
    pub fn answers(&self) -> bool {
        matches!(self, Self::Is { .. } | Self::Other { .. })
    }
}

/// What all probes showed, summed up over a window of looks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// `None` without a health probe.
    pub health: Option<Health>,
    /// `None` without a freshness probe.
    pub running: Option<Running>,
    /// How often it was looked.
    pub looks: u32,
}

impl std::fmt::Display for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Healthy => f.write_str("healthy"),
            Self::Unhealthy { what } => write!(f, "unhealthy: {what}"),
            Self::Down { what } => write!(f, "down: {what}"),
            Self::Unreachable { what } => write!(f, "the probe failed: {what}"),
        }
    }
}

impl std::fmt::Display for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is { revision } => write!(f, "runs {}", revision.short()),
            Self::Other { text } => write!(f, "runs {text:?}"),
            Self::Down { what } => write!(f, "says no revision: {what}"),
            Self::Unreachable { what } => write!(f, "the probe failed: {what}"),
        }
    }
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.health, &self.running) {
            (None, None) => f.write_str("no probe is configured"),
            (Some(health), None) => write!(f, "{health}"),
            (None, Some(running)) => write!(f, "{running}"),
            (Some(health), Some(running)) => write!(f, "{health}; {running}"),
        }
    }
}
