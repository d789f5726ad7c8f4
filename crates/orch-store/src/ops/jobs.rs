//! Reads of jobs.

use orch_core::ids::{JobId, TaskId};
use orch_core::job::Job;
use orch_core::task::Task;

use crate::engine::{Row, Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::job::decode;
use crate::rows::task;
use crate::rows::{Reader, sound};

/// A job's columns, from the job, its task and its repository.
macro_rules! select_jobs {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            crate::rows::job::job_columns!(),
            " FROM jobs j JOIN tasks t ON t.id = j.task_id JOIN repos r ON r.id = t.repo_id ",
            $rest
        )
    };
}
pub(crate) use select_jobs;

/// A task's columns followed by its job's.
macro_rules! select_pairs {
    ($rest:literal) => {
        concat!(
            "SELECT ",
            crate::rows::task::task_columns!(),
            ", ",
            crate::rows::job::job_columns!(),
            " FROM jobs j JOIN tasks t ON t.id = j.task_id JOIN repos r ON r.id = t.repo_id ",
            $rest
        )
    };
}
pub(crate) use select_pairs;

/// Splits a row of [`select_pairs`].
pub(crate) fn pair(mut row: Row) -> Result<(Job, Task)> {
    let job = row.split_off(task::COLUMNS.min(row.len()));
    Ok((decode(job)?, task::decode(row)?))
}

/// A job and its task.
pub(crate) fn with_task(tx: &mut dyn Tx, id: JobId) -> Result<(Job, Task)> {
    let rows = tx.query(select_pairs!("WHERE j.id = $1"), params![id])?;
    rows.into_iter().next().ok_or_else(|| StoreError::not_found("job", &id)).and_then(pair)
}

/// A job.
pub(crate) fn job(tx: &mut dyn Tx, id: JobId) -> Result<Job> {
    let rows = tx.query(select_jobs!("WHERE j.id = $1"), params![id])?;
    rows.into_iter().next().ok_or_else(|| StoreError::not_found("job", &id)).and_then(decode)
}

/// The active job of a task; `None` for a finished one.
pub(crate) fn active(tx: &mut dyn Tx, task: TaskId) -> Result<Option<Job>> {
    let rows =
        tx.query(select_jobs!("WHERE j.task_id = $1 AND j.finished_at IS NULL"), params![task])?;
    rows.into_iter().next().map(decode).transpose()
}

/// Every job of a task, oldest first.
pub(crate) fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<Job>> {
    let rows = tx.query(select_jobs!("WHERE j.task_id = $1 ORDER BY j.id"), params![task])?;
    Ok(sound(rows, decode))
}

/// Jobs that run, and queued ones of tasks inside the serial gate: the rows that every tick meets.
pub(crate) fn in_motion(tx: &mut dyn Tx) -> Result<Vec<JobId>> {
    let rows = tx.query(
        "SELECT j.id FROM jobs j WHERE j.status = 'running' UNION \
         SELECT j.id FROM tasks t CROSS JOIN jobs j WHERE t.gate_slot IS NOT NULL \
         AND j.task_id = t.id AND j.finished_at IS NULL AND j.status = 'queued' LIMIT 1000",
        &[],
    )?;
    rows.into_iter().map(|row| Reader::new("jobs", row).int("id").map(JobId)).collect()
}
