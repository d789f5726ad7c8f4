//! A damaged row is set aside: its job is held with the damage as the reason, its slot at the
//! serial gate goes to the next, and somebody is told.

use jiff::Timestamp;
use orch_core::decide::Alert;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{JobId, RepoId};
use orch_core::job::HoldKind;
use orch_core::serial_gate::GatePolicy;
use serde_json::json;

use super::guard::no_owner;
use super::{admission, apply, events};
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// Holds a job whose row, or whose task's row, can't be read.
pub(crate) fn set_aside(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    job_id: JobId,
    error: &StoreError,
) -> Result<()> {
    tracing::error!(%job_id, %error, "set a damaged job aside");
    let rows = tx.query(
        concat!(
            "UPDATE jobs SET status = 'held', hold_kind = $2, hold_reason = $3, held_at = $4, \
             queued_reason = NULL, ",
            no_owner!(),
            " WHERE id = $1 AND finished_at IS NULL RETURNING task_id"
        ),
        params![job_id, HoldKind::Infra.word(), error.to_string(), now],
    )?;
    for row in rows {
        leave_gate(tx, now, gate, Reader::new("jobs", row).int("task_id")?)?;
    }
    close_runs(tx, now, job_id, "its job's row was damaged")?;
    let message = format!("job {job_id} is set aside: {error}");
    let event = NewEvent {
        kind: EventKind::TaskHeld,
        task: None,
        repo: None,
        run_id: None,
        message: message.clone(),
        data: json!({ "job": job_id }),
    };
    events::append(tx, now, &event)?;
    apply::alert(tx, now, &Alert { dedup_key: format!("damaged:job:{job_id}"), message })
}

/// Gives the slot of a task whose row may be unreadable to the next.
fn leave_gate(tx: &mut dyn Tx, now: Timestamp, gate: GatePolicy, task: i64) -> Result<()> {
    let rows = tx.query(
        "UPDATE tasks SET gate_slot = NULL WHERE id = $1 RETURNING repo_id",
        params![task],
    )?;
    for row in rows {
        let repo = RepoId(Reader::new("tasks", row).int("repo_id")?);
        admission::admit(tx, now, gate, repo)?;
    }
    Ok(())
}

/// Ends what a job's runs left open.
pub(crate) fn close_runs(
    tx: &mut dyn Tx,
    now: Timestamp,
    job_id: JobId,
    reason: &str,
) -> Result<()> {
    let outcome = orch_core::outcome::Outcome::Lost { reason: reason.to_owned() };
    tx.execute(
        "UPDATE runs SET finished_at = $2, outcome_kind = $3, outcome = $4 \
         WHERE job_id = $1 AND finished_at IS NULL",
        params![job_id, now, outcome.kind(), apply::json("outcome", &outcome)?],
    )?;
    Ok(())
}
