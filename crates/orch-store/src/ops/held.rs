//! What is held.

use orch_core::job::{HoldKind, Job};
use orch_core::task::Task;

use super::jobs::{pair, select_pairs};
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::sound;

/// Held jobs of a kind with their tasks, oldest first. A damaged row is left out.
pub(crate) fn held(tx: &mut dyn Tx, kind: HoldKind, limit: u32) -> Result<Vec<(Job, Task)>> {
    let rows = tx.query(
        select_pairs!(
            "WHERE j.status = 'held' AND j.hold_kind = $1 ORDER BY j.held_at, j.id LIMIT $2"
        ),
        params![kind.word(), limit],
    )?;
    Ok(sound(rows, pair))
}
