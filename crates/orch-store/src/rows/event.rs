//! Events.

use orch_core::event::{Event, EventKind, NewEvent};
use orch_core::ids::EventId;

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// The columns that [`decode`] reads.
macro_rules! event_columns {
    () => {
        "e.id, e.at, e.kind, e.task, e.repo, e.run_id, e.message, e.data"
    };
}
pub(crate) use event_columns;

pub(crate) fn decode(row: Row) -> Result<Event> {
    let mut row = Reader::new("events", row);
    let id = EventId(row.int("id")?);
    let at = row.time("at")?;
    let name = row.text("kind")?;
    let kind = EventKind::by_name(&name)
        .ok_or_else(|| row.impossible(format!("kind is {name:?}, which this program lacks")))?;
    let what = NewEvent {
        kind,
        task: row.opt_parsed("task")?,
        repo: row.opt_parsed("repo")?,
        run_id: row.opt_parsed("run_id")?,
        message: row.text("message")?,
        data: row.json("data")?,
    };
    Ok(Event { id, at, what })
}
