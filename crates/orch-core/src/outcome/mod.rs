//! Outcome: what a run's end means, with the work's doing and the infrastructure's doing kept
//! apart (S7). Only [`Outcome::SuiteRan`] can ever lead to a bounce.

mod agent;
mod classify;
mod signs;

pub use agent::{AgentEnd, Demands, Fault, RATE_LIMIT_WAIT, Reported, Stuck, Told};
pub use classify::{Worked, classify};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the end of a run means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// The work itself ran to its own end: an agent that finished, a suite that passed or failed.
    SuiteRan {
        /// The exit code of the work.
        exit_code: i32,
    },
    /// Infrastructure failed for a moment; the same run may work later.
    TransientInfra {
        /// What failed, in words for people.
        reason: String,
    },
    /// Infrastructure is wrong in a way that waiting does not mend.
    PermanentEnv {
        /// What is missing or wrong, and the remedy where it is known.
        reason: String,
    },
    /// The suite came to an end that proves nothing: zero tests, far fewer than the last time, exit 0
    /// beside failing tests or in the middle of the output.
    Unproven {
        /// What is missing for a proof, and the remedy.
        reason: String,
    },
    /// The provider asked for patience.
    RateLimited {
        /// When it may be tried again.
        until: Timestamp,
    },
    /// The absolute limit passed.
    TimedOut {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// Silence for longer than the stall limit.
    Stalled {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// The run vanished without an exit: machine restart, supervisor killed.
    Lost {
        /// How it was noticed.
        reason: String,
    },
    /// It can't be told whether the work failed or its surroundings did.
    Unknown {
        /// What was seen, in words for people.
        reason: String,
    },
    /// It was not begun: a budget of money or tokens is spent.
    OverBudget {
        /// Which, and the remedy.
        reason: String,
    },
    /// It took up more of the disk than a run may, and was killed: its own doing, whoever wrote what
    /// filled it.
    OverDisk {
        /// The limit in bytes.
        limit_bytes: u64,
        /// What it took up; `u64::MAX` where that can't be counted.
        used_bytes: u64,
    },
    /// The agent asked something and waits for the answer.
    NeedsInput {
        /// What it asks; from outside, bounded.
        question: String,
    },
    /// The agent gets nowhere in its session; a fresh one may.
    AgentStuck {
        /// In which way.
        how: Stuck,
        /// What was seen, in words for people.
        reason: String,
        /// An earlier run of the same job was stuck in the same way.
        again: bool,
    },
    /// Somebody asked for the end.
    Cancelled,
}

impl Outcome {
    /// What failed, in words for people; `None` where the kind says all.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::TransientInfra { reason }
            | Self::PermanentEnv { reason }
            | Self::Unproven { reason }
            | Self::OverBudget { reason }
            | Self::NeedsInput { question: reason }
            | Self::Lost { reason }
            | Self::AgentStuck { reason, .. }
            | Self::Unknown { reason } => Some(reason),
            Self::SuiteRan { .. }
            | Self::RateLimited { .. }
            | Self::TimedOut { .. }
            | Self::Stalled { .. }
            | Self::OverDisk { .. }
            | Self::Cancelled => None,
        }
    }

    /// The kind as one word, for events and tables.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::SuiteRan { .. } => "suite_ran",
            Self::TransientInfra { .. } => "transient_infra",
            Self::PermanentEnv { .. } => "permanent_env",
            Self::Unproven { .. } => "unproven",
            Self::RateLimited { .. } => "rate_limited",
            Self::TimedOut { .. } => "timed_out",
            Self::Stalled { .. } => "stalled",
            Self::Lost { .. } => "lost",
            Self::Unknown { .. } => "unknown",
            Self::OverBudget { .. } => "over_budget",
            Self::OverDisk { .. } => "over_disk",
            Self::NeedsInput { .. } => "needs_input",
            Self::AgentStuck { .. } => "agent_stuck",
            Self::Cancelled => "cancelled",
        }
    }
}
