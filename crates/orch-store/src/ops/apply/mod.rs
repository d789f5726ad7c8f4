//! A decision is applied: the job's end or return, its run's end, the gate's result, the task's
//! progress, the next job, events, alerts and admission at the serial gate. All or nothing.

mod job;
mod record;
mod task;

use jiff::Timestamp;
use orch_core::decide::{Alert, Decision, NextJob, Start, Step};
use orch_core::ids::{JobId, TaskId};
use orch_core::job::Hold;
use orch_core::serial_gate::GatePolicy;
use serde::Serialize;

pub use record::RunRecord;

use super::guard::Guard;
use super::{admission, events, gate_stages, labels};
use crate::engine::{Tx, Value, params};
use crate::error::{Result, StoreError};

/// Applies a decision under a guard; returns the job that follows, where one does. A guard that
/// no longer holds is [`StoreError::Fenced`].
pub(crate) fn apply(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    guard: &Guard,
    decision: &Decision,
    run: Option<&RunRecord>,
) -> Result<Option<JobId>> {
    if leaves(&decision.step) || !matches!(guard, Guard::Run(_)) {
        lock_gate(tx, guard.job_id())?;
    }
    let task_id = job::step(tx, now, guard, &decision.step)?;
    record::close(tx, now, guard, task_id, run)?;
    let row = task::progress(tx, now, task_id, decision)?;
    let next = match &decision.step {
        Step::Next { job, .. } => Some(insert_job(tx, now, task_id, row.priority, job)?),
        Step::Requeue { .. } | Step::Hold(_) | Step::End(_) => None,
    };
    events::record(tx, now, &decision.events)?;
    let cause = if decision.alerts.is_empty() { None } else { record::cause(tx, run)? };
    for item in &decision.alerts {
        match &cause {
            // One alert is enough for all that one fault holds.
            Some(cause) if matches!(decision.step, Step::Hold(_)) => {
                let dedup_key = format!("cause:{cause}");
                alert(tx, now, &Alert { dedup_key, ..item.clone() })?;
            }
            _ => alert(tx, now, item)?,
        }
    }
    if !row.inside || leaves(&decision.step) || moves(tx, &decision.step)? {
        admission::admit(tx, now, gate, row.repo_id)?;
    }
    Ok(next)
}

/// Locks the serial gate of a job's repository before any row inside it: whoever admits locks in
/// that order, and two in opposite orders would wait for each other.
fn lock_gate(tx: &mut dyn Tx, job: JobId) -> Result<()> {
    let lock = tx.dialect().row_lock;
    if lock.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "SELECT r.id FROM repos r WHERE r.id = (SELECT t.repo_id FROM jobs j \
         JOIN tasks t ON t.id = j.task_id WHERE j.id = $1){lock}"
    );
    tx.query(&sql, params![job]).map(drop)
}

/// True where the task gives its slot at the serial gate back.
fn leaves(step: &Step) -> bool {
    match step {
        Step::Next { job, .. } => matches!(job.start, Start::Held(_)),
        Step::Requeue { .. } => false,
        Step::Hold(_) | Step::End(_) => true,
    }
}

/// True where the task may have come to a stage that the serial gate treats otherwise.
fn moves(tx: &mut dyn Tx, step: &Step) -> Result<bool> {
    Ok(matches!(step, Step::Next { .. }) && gate_stages::any(tx)?)
}

/// Enqueues a job of a task.
pub(crate) fn insert_job(
    tx: &mut dyn Tx,
    now: Timestamp,
    task_id: TaskId,
    priority: i32,
    job: &NextJob,
) -> Result<JobId> {
    let (status, available_at, queued_reason) = match &job.start {
        Start::Queued { available_at, reason } => ("queued", *available_at, reason.clone()),
        Start::Held(_) => ("held", now, None),
    };
    let hold = match &job.start {
        Start::Held(hold) => Some(hold),
        Start::Queued { .. } => None,
    };
    let [hold_kind, hold_reason, held_at] = hold_values(hold, now);
    let label_set = labels::set_of(tx, &job.labels)?;
    let rows = tx.query(
        "INSERT INTO jobs (task_id, stage, agent, status, priority, available_at, queued_reason, \
         hold_kind, hold_reason, held_at, created_at, label_set) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
        &[
            task_id.into(),
            Value::from(&job.stage),
            Value::from(&job.agent),
            status.into(),
            priority.into(),
            available_at.into(),
            queued_reason.into(),
            hold_kind,
            hold_reason,
            held_at,
            now.into(),
            label_set.into(),
        ],
    )?;
    Ok(JobId(crate::rows::count(&rows) as i64))
}

/// The three columns of a hold. A reason is always stated, also where none was given.
fn hold_values(hold: Option<&Hold>, now: Timestamp) -> [Value; 3] {
    let Some(hold) = hold else { return [Value::Null, Value::Null, Value::Null] };
    let reason = match hold.reason.trim() {
        "" => "no reason was given",
        reason => reason,
    };
    [hold.kind.word().into(), reason.into(), now.into()]
}

/// Puts an alert into the outbox; while one of its key is undelivered it is enough, in the words
/// of the last.
pub(crate) fn alert(tx: &mut dyn Tx, now: Timestamp, alert: &Alert) -> Result<()> {
    tx.execute(
        "INSERT INTO outbox (dedup_key, message, created_at, next_try_at) \
         VALUES ($1, $2, $3, $3) \
         ON CONFLICT (dedup_key) WHERE delivered_at IS NULL \
         DO UPDATE SET message = excluded.message, times = outbox.times + 1",
        params![&alert.dedup_key, &alert.message, now],
    )?;
    Ok(())
}

/// A value as JSON text.
pub(crate) fn json(what: &'static str, value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| StoreError::Invalid { what, reason: error.to_string() })
}
