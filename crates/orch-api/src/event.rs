//! Events on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventItem {
    /// Its number: rises, never reused; what a stream is resumed from.
    pub id: i64,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened, such as `task.created`.
    pub kind: String,
    /// The task it is about.
    pub task: Option<String>,
    /// The repository it is about.
    pub repo: Option<String>,
    /// The run it belongs to.
    pub run_id: Option<String>,
    /// One line for people.
    pub message: String,
    /// Further facts for machines; an object.
    pub data: Value,
}
