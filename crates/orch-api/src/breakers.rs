//! Shared faults: the `breakers` block of `GET /queue`, and what sets their tasks going.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Channels that are paused for a shared fault, and the faults that hold tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakersReport {
    /// The kill-switch.
    pub enabled: bool,
    /// Paused channels, longest first.
    pub paused: Vec<PausedItem>,
    /// Faults that hold tasks, in the order of their oldest one.
    pub causes: Vec<CauseItem>,
}

/// A paused channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedItem {
    /// The name of the fault; `POST /causes/{cause}/retry` ends the pause.
    pub cause: String,
    /// The channel, such as `runner:hello/testing`.
    pub channel: String,
    /// The channel, for people.
    pub what: String,
    /// The fault, in the words of the last run that met it.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is probed next.
    pub probe_at: Timestamp,
    /// Probes so far.
    pub probes: u32,
    /// The task whose job is let through to see whether it works again; `None` where none is.
    pub probing: Option<String>,
    /// Tasks whose jobs wait for it, in the order of their numbers; at most 100.
    pub waiting: Vec<String>,
}

/// A fault that holds tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CauseItem {
    /// Its name.
    pub cause: String,
    /// The channel.
    pub channel: String,
    /// The channel, for people.
    pub what: String,
    /// The fault, in the words of one of the runs that met it.
    pub reason: String,
    /// True where the channel was paused and works again since: the tasks can go on.
    pub mended: bool,
    /// The held tasks, oldest first.
    pub held: Vec<String>,
}

/// `POST /causes/{cause}/retry`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetryCauseRequest {}

/// What `POST /causes/{cause}/retry` set going.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetriedCause {
    /// The name of the fault.
    pub cause: String,
    /// The tasks that go on.
    pub going: Vec<String>,
}
