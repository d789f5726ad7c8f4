//! A repository is frozen: none of its tasks enters the serial gate.

use jiff::Timestamp;
use orch_core::event::EventKind;
use orch_core::ids::RepoName;
use serde_json::json;

use super::{events, repos};
use crate::engine::{Tx, params};
use crate::error::Result;

/// Freezes a repository; says whether that changed anything. Whoever is inside goes on.
pub(crate) fn freeze(
    tx: &mut dyn Tx,
    now: Timestamp,
    name: &RepoName,
    reason: Option<&str>,
) -> Result<bool> {
    let repo = repos::repo(tx, name)?;
    if repo.frozen.is_some() {
        return Ok(false);
    }
    tx.execute(
        "UPDATE repos SET frozen_at = $2, frozen_reason = $3 WHERE id = $1",
        params![repo.id, now, reason],
    )?;
    let message = reason.map_or_else(|| "frozen".to_owned(), |reason| format!("frozen: {reason}"));
    let data = json!({ "reason": reason });
    events::append(tx, now, &events::about(EventKind::RepoFrozen, name, None, message, data))?;
    Ok(true)
}
