//! Reads of runs.

use orch_core::ids::{RunId, TaskId};

use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::run::{Run, decode, run_columns};
use crate::rows::sound;

/// A run.
pub(crate) fn run(tx: &mut dyn Tx, id: &RunId) -> Result<Run> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs n JOIN tasks t ON t.id = n.task_id WHERE n.run_id = $1"
        ),
        params![id],
    )?;
    rows.into_iter().next().ok_or_else(|| StoreError::not_found("run", id)).and_then(decode)
}

/// Every run of a task, oldest first.
pub(crate) fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<Run>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            run_columns!(),
            " FROM runs n JOIN tasks t ON t.id = n.task_id \
             WHERE n.task_id = $1 ORDER BY n.started_at, n.job_id, n.run_epoch"
        ),
        params![task],
    )?;
    Ok(sound(rows, decode))
}
