//! What runs.

use orch_core::ids::WorkerId;
use orch_core::job::Job;
use orch_core::task::Task;

use super::jobs::{pair, select_pairs};
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::sound;

/// Running jobs with their tasks, oldest first; of one worker or of all. A damaged row is left
/// out, and set aside by the sanitizer.
pub(crate) fn running(tx: &mut dyn Tx, worker: Option<&WorkerId>) -> Result<Vec<(Job, Task)>> {
    let rows = match worker {
        Some(worker) => tx.query(
            select_pairs!("WHERE j.status = 'running' AND j.worker_id = $1 ORDER BY j.id"),
            params![worker],
        )?,
        None => tx.query(select_pairs!("WHERE j.status = 'running' ORDER BY j.id"), &[])?,
    };
    Ok(sound(rows, pair))
}
