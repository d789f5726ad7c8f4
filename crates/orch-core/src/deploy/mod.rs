//! The deploy of a landed revision as a pure state machine (S9): a journal of intents and results
//! in, the next action out.
//!
//! `lock → look before → prove the way back → drain → deploy → verify → done`, and from a fault
//! that is the code's own `→ roll back → verify → rolled back`. [`next`] folds the journal anew
//! every time and keeps nothing itself: whoever holds the journal can go on, in whatever process
//! and on whatever machine. An action stands in the journal before it is done ([`Entry`] without a
//! result) and is confirmed afterwards; one that was never confirmed comes back as
//! [`Next::Repair`], to be settled by looking.
//!
//! Three laws, which property tests hold: nothing is promoted on a probe's error; nothing is rolled
//! back without evidence that the deployed code is at fault; every journal leads on or ends with a
//! reason. What a probe can't see is [`Stuck`], which holds the task and is gone on with after
//! [`Action::Resume`] from the very step.

mod action;
mod judge;
mod lock;
mod monitor;
mod next;
mod revision_text;
mod seen;
mod window;

#[cfg(test)]
mod tests;

pub use action::{Action, Ran, StepResult};
pub use judge::{Judgement, judge_after, judge_new, judge_restored};
pub use lock::{Grant, Held, LockState, may_take};
pub use monitor::{Rules, Watch, WatchStep, watched};
pub use next::{End, Entry, Next, Patience, Stuck, Way, next, way_back};
pub use revision_text::{RevisionText, read_field, read_text};
pub use seen::{Health, Running, Seen};
pub use window::{Look, Window, WindowRules};

use serde::{Deserialize, Serialize};

use crate::ids::Revision;

/// What a deploy has to do; the settings in force, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it is for.
    pub purpose: Purpose,
    /// The landed revision.
    pub revision: Revision,
    /// Whether a health probe is configured.
    pub health: bool,
    /// Whether a freshness probe is configured.
    pub freshness: bool,
    /// Whether a drain command is configured.
    pub drain: bool,
    /// Whether a rollback command is configured.
    pub rollback: bool,
    /// Whether a command proves the rollback target.
    pub rollback_check: bool,
    /// Whether nothing is deployed without a proven way back.
    pub require_rollback: bool,
}

impl Plan {
    /// Whether anything can be seen of what runs.
    pub fn sees(&self) -> bool {
        self.health || self.freshness
    }
}

/// What a deploy is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum Purpose {
    /// A landed revision is brought to its target.
    Deploy,
    /// A revision that went bad under the monitor's eyes is taken back.
    Restore {
        /// The revision to go back to.
        to: Revision,
        /// What the monitor saw.
        evidence: String,
    },
}

impl Purpose {
    /// The word in the `purpose` column.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Restore { .. } => "restore",
        }
    }
}
