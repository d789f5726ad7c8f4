//! Open tasks without a job: no operation leaves one, but a database edited by hand may have some.

use jiff::Timestamp;
use orch_core::decide::NextJob;
use orch_core::ids::{JobId, TaskKey};
use orch_core::serial_gate::GatePolicy;
use orch_core::task::Task;

use super::{admission, apply, repos, tasks};
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::sound;
use crate::rows::task::{decode, task_columns};

/// Tasks that one look finds; the next look finds the rest.
const AT_ONCE: i64 = 100;

/// Open tasks that have no active job.
pub(crate) fn without_a_job(tx: &mut dyn Tx) -> Result<Vec<Task>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks t JOIN repos r ON r.id = t.repo_id WHERE t.status = 'open' \
             AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.finished_at IS NULL) \
             ORDER BY t.id LIMIT $1"
        ),
        params![AT_ONCE],
    )?;
    Ok(sound(rows, decode))
}

/// Gives such a task a job. A task that has one, or is over, is a conflict.
pub(crate) fn enqueue(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    key: &TaskKey,
    job: &NextJob,
) -> Result<JobId> {
    let (task, active) = tasks::standing(tx, key)?;
    if active.is_some() || !task.state.is_open() {
        return Err(StoreError::conflict(key, "it is over or has a job".to_owned()));
    }
    let id = apply::insert_job(tx, now, task.id, task.priority, job)?;
    let repo = repos::repo(tx, &task.repo)?;
    admission::admit(tx, now, gate, repo.id)?;
    Ok(id)
}
