//! The guarded statement: what becomes of the job at hand. Every form clears the ownership.

use jiff::Timestamp;
use orch_core::decide::{Counts, Step, TaskEnd};
use orch_core::ids::TaskId;
use orch_core::job::{Hold, JobResult};

use super::hold_values;
use crate::engine::{Tx, Value};
use crate::error::Result;
use crate::ops::guard::{Guard, no_hold, no_owner};
use crate::rows::Reader;

/// Back in the queue; one text per counter follows, so that each statement is prepared once.
macro_rules! requeued {
    () => {
        concat!(
            "status = $4, available_at = $5, queued_reason = $6, ",
            no_hold!(),
            ", ",
            no_owner!()
        )
    };
}
/// Writes the step into the job's row under the guard; returns its task.
pub(super) fn step(tx: &mut dyn Tx, now: Timestamp, guard: &Guard, step: &Step) -> Result<TaskId> {
    match step {
        Step::Next { result, reason, .. } => finish(tx, now, guard, *result, reason.as_deref()),
        Step::End(TaskEnd::Done) => finish(tx, now, guard, JobResult::Succeeded, None),
        Step::End(TaskEnd::Cancelled { reason }) => {
            finish(tx, now, guard, JobResult::Cancelled, Some(reason))
        }
        Step::Requeue { available_at, reason, counts } => {
            requeue(tx, guard, *available_at, reason, *counts)
        }
        Step::Hold(hold) => park(tx, now, guard, hold),
    }
}

fn finish(
    tx: &mut dyn Tx,
    now: Timestamp,
    guard: &Guard,
    result: JobResult,
    reason: Option<&str>,
) -> Result<TaskId> {
    guarded(
        tx,
        concat!(
            "status = $4, finished_at = $5, finish_reason = $6, queued_reason = NULL, ",
            no_hold!(),
            ", ",
            no_owner!()
        ),
        guard,
        [result.status().into(), now.into(), reason.into()],
    )
}

fn requeue(
    tx: &mut dyn Tx,
    guard: &Guard,
    available_at: Timestamp,
    reason: &str,
    counts: Counts,
) -> Result<TaskId> {
    let set = match counts {
        Counts::Nothing => requeued!(),
        Counts::Defer => concat!(requeued!(), ", defers = defers + 1"),
        Counts::Unknown => concat!(requeued!(), ", unknowns = unknowns + 1"),
        Counts::Stop => concat!(requeued!(), ", stops = stops + 1"),
        Counts::Crash => concat!(requeued!(), ", crashes = crashes + 1"),
        Counts::Reset => concat!(requeued!(), ", defers = 0, unknowns = 0, stops = 0, crashes = 0"),
    };
    guarded(tx, set, guard, ["queued".into(), available_at.into(), reason.into()])
}

fn park(tx: &mut dyn Tx, now: Timestamp, guard: &Guard, hold: &Hold) -> Result<TaskId> {
    guarded(
        tx,
        concat!(
            "status = 'held', hold_kind = $4, hold_reason = $5, held_at = $6, \
             queued_reason = NULL, ",
            no_owner!()
        ),
        guard,
        hold_values(Some(hold), now),
    )
}

/// Runs the update under the guard; no row means that the job has moved on.
fn guarded(tx: &mut dyn Tx, set: &str, guard: &Guard, values: [Value; 3]) -> Result<TaskId> {
    let sql = format!("UPDATE jobs SET {set} WHERE {} RETURNING task_id", guard.condition());
    let all: Vec<Value> = guard.values().into_iter().chain(values).collect();
    let row = tx.query(&sql, &all)?.into_iter().next().ok_or_else(|| guard.fenced())?;
    Ok(TaskId(Reader::new("jobs", row).int("task_id")?))
}
