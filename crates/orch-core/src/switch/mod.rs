//! Switching the running service to another version of itself (S9): the new version is on trial
//! until it is healthy, and whoever fails the trial is followed by the version before.
//!
//! [`Machine`] decides, on events and a clock that only goes forward; the launcher acts. What must
//! outlive the launcher is a [`Trial`], recorded before anything is done.

mod machine;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::VersionName;

pub use machine::Machine;

/// A version on trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The request's own name.
    pub id: String,
    /// The version to switch to.
    pub to: VersionName,
    /// The version to go back to.
    pub from: VersionName,
    /// How often the version of this leg was started; bounds what a crash of the machine repeats.
    pub starts: u32,
    /// Which way it goes.
    pub leg: Leg,
}

/// Which way a trial goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "leg", rename_all = "snake_case")]
pub enum Leg {
    /// The new version is on trial.
    Forth,
    /// The new version failed; the one before has to come up again.
    Back {
        /// Why it failed.
        reason: String,
    },
}

/// How a switch ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Ended {
    /// The new version serves and is healthy.
    Switched,
    /// The version before serves again.
    Returned {
        /// Why the new one failed.
        reason: String,
        /// What is wrong with the version before too; `None` where it is healthy.
        trouble: Option<String>,
    },
    /// The new version failed and stays all the same: the database has gone on with it, and the
    /// version before can't use it without losing what was recorded.
    Kept {
        /// Why the new one failed, and why there is no way back.
        reason: String,
    },
}

/// What the machine is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time has passed.
    Tick,
    /// Somebody asks for another version; only while [`Machine::accepts`].
    Requested {
        /// The request's own name.
        id: String,
        /// The version.
        to: VersionName,
    },
    /// A service that was running already was found and is looked after from now on.
    Adopted,
    /// The service has ended, or could not be started: how.
    Exited(String),
    /// The service was asked how it is.
    Probed(Probe),
    /// The database can't go back to the version before: why.
    DatabaseStays(String),
    /// The launcher is told to end.
    Stop,
}

/// What the service says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// It is ready, and it is the version that was asked for.
    Healthy,
    /// It does not answer, or is not ready: why.
    NotYet(String),
    /// It is another revision than its version says; waiting changes nothing.
    Wrong(String),
}

/// What is to be done, in this order. Each may be done twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write the trial down, durably, before anything that follows.
    Record(Option<Trial>),
    /// Let `current` name that version.
    Point(VersionName),
    /// Put the database back to where the version before can use it, if it can't.
    ReturnDatabase,
    /// Start the current version.
    Start,
    /// Ask the service to end.
    Terminate,
    /// Kill the service.
    Kill,
    /// Write down how the switch ended; a version that failed is never tried again by itself.
    Close {
        /// The switch.
        trial: Trial,
        /// How it ended.
        ended: Ended,
    },
    /// End the launcher; no service runs.
    Quit,
}

/// How long the launcher waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// From a start to healthy, its migrations included.
    pub healthy_within: Duration,
    /// From the request to end to the kill.
    pub stop_within: Duration,
}

/// Healthy answers in a row that end a trial well.
pub const PASSES: u32 = 3;
/// Starts of one version on trial: more than one only after crashes of the machine or the launcher.
pub const STARTS: u32 = 3;
/// A service that ran for so long has not crashed at its start.
pub const SETTLED: Duration = Duration::from_mins(1);
/// The longest wait before a crashed service is started again.
pub const LONGEST_BACKOFF: Duration = Duration::from_mins(1);
