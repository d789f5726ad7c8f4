//! The breaker for a shared cause: a channel that failed alike for several tasks, or again and
//! again, is paused once for all instead of burning every task's budget, and is probed until it
//! works again.
//!
//! Here is what makes two faults the same and when that is enough. The store keeps the breakers,
//! and `orch-engine` probes.

mod cause;
mod channel;
mod signature;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

pub use cause::{BadCause, CauseId};
pub use channel::{BadChannel, Channel};
pub use signature::{Signature, fault_of};

use crate::ids::{TaskId, TaskKey};

/// When a fault is a shared one (`[breaker]`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// The kill-switch; off, nothing is paused.
    pub enabled: bool,
    /// Tasks that met it.
    pub tasks: u32,
    /// Or the times that it was met.
    pub times: u32,
    /// Within which time.
    pub window: Duration,
    /// From one probe of a paused channel to the next.
    pub probe_every: Duration,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            enabled: true,
            tasks: 2,
            times: 3,
            window: Duration::from_mins(30),
            probe_every: Duration::from_mins(1),
        }
    }
}

/// That a run met a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Met {
    /// Whose run.
    pub task: TaskId,
    /// When it ended.
    pub at: Timestamp,
}

impl Rule {
    /// From when on a fault counts: within the window, and since the breaker last closed.
    pub fn counts_after(&self, closed: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let window = now.checked_sub(self.window).unwrap_or(Timestamp::MIN);
        closed.map_or(window, |closed| closed.max(window))
    }

    /// Whether these meetings with one fault make it a shared one.
    pub fn trips(&self, met: &[Met]) -> bool {
        let tasks: BTreeSet<TaskId> = met.iter().map(|met| met.task).collect();
        let reached = |count: usize, enough: u32| count >= enough.max(1) as usize;
        self.enabled && (reached(tasks.len(), self.tasks) || reached(met.len(), self.times))
    }
}

/// A paused channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// What is paused, and the fault.
    pub signature: Signature,
    /// The fault in the words of the last run that met it.
    pub said: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is probed next.
    pub probe_at: Timestamp,
    /// Whose job is out as the probe; `None` where none is.
    pub probing: Option<TaskKey>,
    /// Probes so far.
    pub probes: u32,
}

/// A fault that holds tasks, and which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The channel and the fault.
    pub signature: Signature,
    /// In the words of the first of their last runs.
    pub said: String,
    /// The held tasks, oldest first.
    pub held: Vec<Held>,
}

/// A task that a fault holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The task.
    pub key: TaskKey,
    /// Whether its channel was paused and works again since.
    pub mended: bool,
}

#[cfg(test)]
mod tests;
