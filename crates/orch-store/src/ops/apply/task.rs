//! The task's progress, and its end.

use jiff::Timestamp;
use orch_core::decide::{Decision, Step, TaskEnd};
use orch_core::ids::{RepoId, TaskId};

use super::json;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// What the rest of the transaction needs to know of the task.
pub(super) struct TaskRow {
    pub repo_id: RepoId,
    pub priority: i32,
    /// It has a slot at the serial gate.
    pub inside: bool,
}

/// Writes the progress, and the end where the decision ends the task.
pub(super) fn progress(
    tx: &mut dyn Tx,
    now: Timestamp,
    task_id: TaskId,
    decision: &Decision,
) -> Result<TaskRow> {
    let at = &decision.progress;
    let rows = tx.query(
        "UPDATE tasks SET stage = $2, attempts = $3, bounces = $4, retests = $5, head = $6, \
         tested_commit = $7, tested_tree = $8, merged = $9, feedback = $10, updated_at = $11, \
         parked_on = NULL \
         WHERE id = $1 AND status = 'open' RETURNING id, repo_id, priority, gate_slot",
        params![
            task_id,
            &at.stage,
            at.attempts,
            at.bounces,
            at.retests,
            at.head.as_ref(),
            at.tested.as_ref().map(|tested| &tested.commit),
            at.tested.as_ref().map(|tested| &tested.code_tree),
            at.merged.as_ref(),
            json("feedback", &at.feedback)?,
            now,
        ],
    )?;
    let Some(row) = rows.into_iter().next() else {
        return Err(StoreError::Impossible {
            table: "tasks",
            id: task_id.to_string(),
            what: "it is over and has an active job".to_owned(),
        });
    };
    if let Step::End(end) = &decision.step {
        finish(tx, now, task_id, end)?;
    }
    let mut row = Reader::new("tasks", row);
    row.int("id")?;
    Ok(TaskRow {
        repo_id: RepoId(row.int("repo_id")?),
        priority: row.number("priority")?,
        inside: row.opt_int("gate_slot")?.is_some(),
    })
}

/// A finished task has no slot and is not paused.
fn finish(tx: &mut dyn Tx, now: Timestamp, task_id: TaskId, end: &TaskEnd) -> Result<()> {
    let (status, reason) = match end {
        TaskEnd::Done => ("done", None),
        TaskEnd::Cancelled { reason } => ("cancelled", Some(reason)),
    };
    tx.execute(
        "UPDATE tasks SET status = $2, finished_at = $3, finish_reason = $4, gate_slot = NULL, \
         paused_at = NULL, pause_reason = NULL WHERE id = $1",
        params![task_id, status, now, reason],
    )?;
    Ok(())
}
