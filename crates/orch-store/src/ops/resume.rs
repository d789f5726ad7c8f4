//! A paused task takes its place again.

use jiff::Timestamp;
use orch_core::event::EventKind;
use orch_core::ids::TaskKey;
use orch_core::serial_gate::GatePolicy;
use serde_json::json;

use super::{admission, events, tasks};
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};

/// Resumes a task; says whether that changed anything. It enters before everybody younger, as
/// soon as a slot is free.
pub(crate) fn resume(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    key: &TaskKey,
) -> Result<bool> {
    let place = tasks::place(tx, key)?;
    if !place.open {
        return Err(StoreError::conflict(key, "it is over; only an open task can be resumed"));
    }
    if !place.paused {
        return Ok(false);
    }
    tx.execute(
        "UPDATE tasks SET paused_at = NULL, pause_reason = NULL, updated_at = $2 WHERE id = $1",
        params![place.id, now],
    )?;
    let message = "resumed".to_owned();
    let event = events::about(EventKind::TaskResumed, &place.repo, Some(key), message, json!({}));
    events::append(tx, now, &event)?;
    admission::admit(tx, now, gate, place.repo_id)?;
    Ok(true)
}
