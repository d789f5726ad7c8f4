//! A task steps aside at the serial gate and blocks nobody.

use jiff::Timestamp;
use orch_core::event::EventKind;
use orch_core::ids::TaskKey;
use orch_core::serial_gate::GatePolicy;
use serde_json::json;

use super::{admission, events, tasks};
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};

/// Pauses a task; says whether that changed anything. A run that is under way goes on; a paused
/// task keeps the reason of its first pause.
pub(crate) fn pause(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    key: &TaskKey,
    reason: Option<&str>,
) -> Result<bool> {
    let place = tasks::place(tx, key)?;
    if !place.open {
        return Err(StoreError::conflict(key, "it is over; only an open task can be paused"));
    }
    if place.paused {
        return Ok(false);
    }
    tx.execute(
        "UPDATE tasks SET paused_at = $2, pause_reason = $3, gate_slot = NULL, updated_at = $2 \
         WHERE id = $1",
        params![place.id, now, reason],
    )?;
    let message = reason.map_or_else(|| "paused".to_owned(), |reason| format!("paused: {reason}"));
    let data = json!({ "reason": reason });
    let event = events::about(EventKind::TaskPaused, &place.repo, Some(key), message, data);
    events::append(tx, now, &event)?;
    admission::admit(tx, now, gate, place.repo_id)?;
    Ok(true)
}
