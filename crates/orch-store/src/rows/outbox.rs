//! Alerts on their way out.

use jiff::Timestamp;

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// An alert that is still to be delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Its row.
    pub id: i64,
    /// What makes it one with others of its kind.
    pub dedup_key: String,
    /// One line.
    pub message: String,
    /// How many alike it stands for.
    pub times: u32,
    /// The receivers that have it.
    pub sent_to: Vec<String>,
    /// When it arose.
    pub created_at: Timestamp,
    /// Deliveries that failed so far.
    pub attempts: u32,
    /// Not to be tried before this moment.
    pub next_try_at: Timestamp,
    /// What the last failed delivery said.
    pub last_error: Option<String>,
}

/// The columns that [`decode`] reads.
macro_rules! outbox_columns {
    () => {
        "o.id, o.dedup_key, o.message, o.times, o.sent_to, o.created_at, o.attempts, o.next_try_at, o.last_error"
    };
}
pub(crate) use outbox_columns;

pub(crate) fn decode(row: Row) -> Result<OutboxItem> {
    let mut row = Reader::new("outbox", row);
    Ok(OutboxItem {
        id: row.int("id")?,
        dedup_key: row.text("dedup_key")?,
        message: row.text("message")?,
        times: row.number("times")?,
        sent_to: row.json("sent_to")?,
        created_at: row.time("created_at")?,
        attempts: row.number("attempts")?,
        next_try_at: row.time("next_try_at")?,
        last_error: row.opt_text("last_error")?,
    })
}
