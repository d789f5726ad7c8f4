//! A frozen repository lets tasks enter again.

use jiff::Timestamp;
use orch_core::event::EventKind;
use orch_core::ids::RepoName;
use orch_core::serial_gate::GatePolicy;
use serde_json::json;

use super::{admission, events, repos};
use crate::engine::{Tx, params};
use crate::error::Result;

/// Unfreezes a repository; says whether that changed anything.
pub(crate) fn unfreeze(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    name: &RepoName,
) -> Result<bool> {
    let repo = repos::repo(tx, name)?;
    if repo.frozen.is_none() {
        return Ok(false);
    }
    tx.execute(
        "UPDATE repos SET frozen_at = NULL, frozen_reason = NULL WHERE id = $1",
        params![repo.id],
    )?;
    let message = "unfrozen".to_owned();
    let event = events::about(EventKind::RepoUnfrozen, name, None, message, json!({}));
    events::append(tx, now, &event)?;
    admission::admit(tx, now, gate, repo.id)?;
    Ok(true)
}
