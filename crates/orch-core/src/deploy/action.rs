//! What a deploy does, one action at a time, and what each can come to.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Seen;
use crate::ids::Revision;
use crate::outcome::Outcome;
use crate::settings::format_size;

/// One action; doing it again does no more than doing it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Take the target's lock.
    Lock,
    /// Look at what runs, through the very probes that judge afterwards.
    LookBefore,
    /// Ask the repository's own check whether the rollback target is there.
    ProveRollback {
        /// The target.
        to: Revision,
    },
    /// Let the service finish what it is at.
    Drain,
    /// Run the deploy command; the lock is looked at once more in the intent's transaction.
    Deploy,
    /// Look until the new revision is healthy and fresh, or time is up.
    Verify,
    /// A deploy command did not end well: look at what it left behind.
    LookAfter,
    /// Run the rollback command; the lock is looked at as before the deploy.
    Rollback {
        /// The revision to go back to.
        to: Revision,
    },
    /// Look until the old revision is healthy and runs again, or time is up.
    VerifyRollback {
        /// The revision that has to run.
        to: Revision,
    },
    /// Somebody set a deploy that was stuck going again; it has no work of its own.
    Resume,
}

impl Action {
    /// Every word that the `action` column may hold.
    pub const WORDS: [&str; 10] = [
        "lock",
        "look_before",
        "prove_rollback",
        "drain",
        "deploy",
        "verify",
        "look_after",
        "rollback",
        "verify_rollback",
        "resume",
    ];

    /// The word in the `action` column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Lock => "lock",
            Self::LookBefore => "look_before",
            Self::ProveRollback { .. } => "prove_rollback",
            Self::Drain => "drain",
            Self::Deploy => "deploy",
            Self::Verify => "verify",
            Self::LookAfter => "look_after",
            Self::Rollback { .. } => "rollback",
            Self::VerifyRollback { .. } => "verify_rollback",
            Self::Resume => "resume",
        }
    }

    /// Whether it changes the target, so that the lock has to hold at its very beginning.
    pub fn changes_target(&self) -> bool {
        matches!(self, Self::Drain | Self::Deploy | Self::Rollback { .. })
    }

    /// Whether it is a configured command, which runs under a supervisor of its own.
    pub fn is_command(&self) -> bool {
        matches!(
            self,
            Self::ProveRollback { .. } | Self::Drain | Self::Deploy | Self::Rollback { .. }
        )
    }
}

/// How a configured command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ran", rename_all = "snake_case")]
pub enum Ran {
    /// Exit code 0.
    Well,
    /// It ended with a verdict of its own.
    Failed {
        /// Its exit code.
        exit_code: i32,
    },
    /// It brought the new revision up, found it wanting, and brought the one before back by itself.
    Returned {
        /// The revision that runs again; `None` where it has no known revision.
        to: Option<Revision>,
        /// What the new one was found wanting in.
        reason: String,
    },
    /// Its limit passed and its processes were killed; how far it came nobody knows.
    Hung {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// Infrastructure kept it from its work.
    Infra {
        /// What failed.
        reason: String,
        /// Whether waiting may mend it.
        passing: bool,
    },
    /// It vanished with its machine, or was stopped from outside; how far it came nobody knows.
    Vanished {
        /// How that was noticed.
        reason: String,
    },
}

impl From<Outcome> for Ran {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::SuiteRan { exit_code: 0 } => Self::Well,
            Outcome::SuiteRan { exit_code } => Self::Failed { exit_code },
            Outcome::TransientInfra { reason } => Self::Infra { reason, passing: true },
            Outcome::PermanentEnv { reason }
            | Outcome::Unproven { reason }
            | Outcome::OverBudget { reason, .. }
            | Outcome::NeedsInput { question: reason }
            | Outcome::AgentStuck { reason, .. }
            | Outcome::Unknown { reason } => Self::Infra { reason, passing: false },
            Outcome::RateLimited { until } => {
                Self::Infra { reason: format!("rate limited until {until}"), passing: true }
            }
            Outcome::TimedOut { limit_ms } | Outcome::Stalled { limit_ms } => {
                Self::Hung { limit_ms }
            }
            Outcome::OverDisk { limit_bytes, .. } => Self::Infra {
                reason: format!("it took up more than {} of the disk", format_size(limit_bytes)),
                passing: false,
            },
            Outcome::Lost { reason } => Self::Vanished { reason },
            Outcome::Cancelled => Self::Vanished { reason: "it was stopped from outside".into() },
        }
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Well => f.write_str("exit code 0"),
            Self::Failed { exit_code } => write!(f, "exit code {exit_code}"),
            Self::Returned { reason, .. } => write!(f, "went back by itself: {reason}"),
            Self::Hung { limit_ms } => {
                let limit = std::time::Duration::from_millis(*limit_ms);
                write!(
                    f,
                    "did not end within {} and was killed",
                    crate::settings::format_duration(limit)
                )
            }
            Self::Infra { reason, .. } => f.write_str(reason),
            Self::Vanished { reason } => write!(f, "vanished: {reason}"),
        }
    }
}

/// What an action came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum StepResult {
    /// The lock is this deploy's.
    Locked {
        /// The lock's epoch; every further step of this deploy shows it.
        epoch: u64,
        /// The last revision that was deployed there with success; `None` before the first.
        last_good: Option<Revision>,
        /// A later revision that holds this one and was deployed there with success meanwhile.
        newer: Option<Revision>,
        /// Whether another deploy had the lock since this one's last step.
        intervened: bool,
        /// From which dead owner it was taken over, with the evidence.
        taken_over: Option<String>,
    },
    /// Another deploy has the lock.
    Busy {
        /// Which, and who works it.
        by: String,
        /// Not to be asked for again before this moment.
        until: Timestamp,
    },
    /// A configured command ended.
    Ran {
        /// How.
        #[serde(flatten)]
        ran: Ran,
        /// The end of its output.
        said: String,
    },
    /// The probes were asked.
    Seen {
        /// What they showed.
        #[serde(flatten)]
        seen: Seen,
    },
    /// A deploy was set going again.
    Resumed,
}
