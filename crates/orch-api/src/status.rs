//! `GET /health`, `/ready` and `/status`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::llm::NamedSum;

/// `GET /health` and `GET /ready`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`, or `ready`.
    pub status: String,
}

/// `GET /status`: which service this is and what it has to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The version of the program.
    pub version: String,
    /// The revision it was built from; `None` where the build did not know it.
    pub revision: Option<String>,
    /// When the service started.
    pub started_at: Timestamp,
    /// Seconds since then.
    pub uptime_s: u64,
    /// The state directory's own name; the same across restarts.
    pub instance: String,
    /// The machine's name.
    pub host: String,
    /// The database.
    pub database: DatabaseReport,
    /// How many tasks there are.
    pub tasks: TaskCounts,
    /// What language models came to today (UTC), by repository.
    #[serde(default)]
    pub spent_today: Vec<NamedSum>,
    /// The number of the last event; 0 before the first.
    pub last_event_id: i64,
    /// Differences between the records and the world that were mended since the start.
    pub reconciled_total: u64,
}

/// The database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseReport {
    /// Its kind, such as `sqlite`.
    pub kind: String,
    /// Its schema's version.
    pub schema_version: i64,
}

/// How many tasks there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCounts {
    /// Tasks that are still to be worked.
    pub open: u64,
    /// Tasks at their end.
    pub done: u64,
    /// Cancelled tasks.
    pub cancelled: u64,
    /// Open tasks per stage, and there by state: `running`, `queued`, `waiting`, `paused`, `held`.
    pub by_stage: BTreeMap<String, BTreeMap<String, u64>>,
}
