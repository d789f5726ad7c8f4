//! The append-only record: written by other operations in their transaction, read in order.

use jiff::Timestamp;
use orch_core::event::{Event, EventKind, NewEvent};
use orch_core::ids::{EventId, RepoName, TaskKey};
use serde_json::Value as Json;

use crate::engine::{Tx, Value, params};
use crate::error::Result;
use crate::rows::event::{decode, event_columns};
use crate::rows::sound;

/// The most events that one read returns.
pub const MAX_EVENTS: u32 = 1_000;

/// Which events are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those about this task.
    pub task: Option<TaskKey>,
    /// Only those about this repository.
    pub repo: Option<RepoName>,
    /// Only those of these kinds; empty means every kind.
    pub kinds: Vec<EventKind>,
}

/// Records an event in the present transaction.
pub(crate) fn append(tx: &mut dyn Tx, now: Timestamp, event: &NewEvent) -> Result<EventId> {
    let rows = tx.query(
        "INSERT INTO events (at, kind, task, repo, run_id, message, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        params![
            now,
            event.kind.name(),
            event.task.as_ref(),
            event.repo.as_ref(),
            event.run_id.as_ref(),
            &event.message,
            event.data.to_string(),
        ],
    )?;
    let id = EventId(crate::rows::count(&rows) as i64);
    tx.wrote_event(id);
    Ok(id)
}

/// Records events that belong to no other operation, such as an adoption or a note.
pub(crate) fn record(tx: &mut dyn Tx, now: Timestamp, events: &[NewEvent]) -> Result<()> {
    for event in events {
        append(tx, now, event)?;
    }
    Ok(())
}

/// An event about a repository, or about one of its tasks.
pub(crate) fn about(
    kind: EventKind,
    repo: &RepoName,
    task: Option<&TaskKey>,
    message: String,
    data: Json,
) -> NewEvent {
    NewEvent { kind, task: task.cloned(), repo: Some(repo.clone()), run_id: None, message, data }
}

/// Events after a number and up to another, oldest first.
pub(crate) fn after(
    tx: &mut dyn Tx,
    after: EventId,
    up_to: EventId,
    filter: &EventFilter,
    limit: u32,
) -> Result<Vec<Event>> {
    let mut sql = String::from(concat!(
        "SELECT ",
        event_columns!(),
        " FROM events e WHERE e.id > $1 AND e.id <= $3"
    ));
    let mut values =
        vec![Value::from(after), Value::from(limit.min(MAX_EVENTS)), Value::from(up_to)];
    let mut and = |column: &str, value: Value| {
        values.push(value);
        sql.extend([" AND e.", column, " = $", &values.len().to_string()]);
    };
    if let Some(task) = &filter.task {
        and("task", task.into());
    }
    if let Some(repo) = &filter.repo {
        and("repo", repo.into());
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<String> =
            filter.kinds.iter().map(|kind| format!("'{}'", kind.name())).collect();
        sql.extend([" AND e.kind IN (", &kinds.join(", "), ")"]);
    }
    sql.push_str(" ORDER BY e.id LIMIT $2");
    Ok(sound(tx.query(&sql, &values)?, decode))
}

/// The last events of a task, oldest first.
pub(crate) fn last(tx: &mut dyn Tx, task: &TaskKey, limit: u32) -> Result<Vec<Event>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            event_columns!(),
            " FROM events e WHERE e.task = $1 ORDER BY e.id DESC LIMIT $2"
        ),
        params![task, limit.min(MAX_EVENTS)],
    )?;
    let mut events = sound(rows, decode);
    events.reverse();
    Ok(events)
}

/// The number of the last event; 0 before the first.
pub(crate) fn last_id(tx: &mut dyn Tx) -> Result<EventId> {
    let rows = tx.query("SELECT coalesce(max(id), 0) FROM events", &[])?;
    Ok(EventId(crate::rows::count(&rows) as i64))
}
