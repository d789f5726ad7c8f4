//! The sanitizer: queued jobs with traces of an owner are cleaned, and rows in the queue's way
//! that can't be read are set aside. No operation writes either; a hand edit or an older program
//! did.

use std::collections::BTreeSet;

use jiff::Timestamp;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::JobId;
use orch_core::serial_gate::GatePolicy;
use serde_json::json;

use super::guard::{no_hold, no_owner};
use super::{damage, events, jobs};
use crate::engine::{Row, Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// Jobs that have to be mended: queued with traces of an owner, or in the queue's way and
/// unreadable.
pub(crate) fn suspects(tx: &mut dyn Tx) -> Result<Vec<JobId>> {
    let rows = tx.query(
        "SELECT j.id FROM jobs j WHERE j.status = 'queued' AND (\
         j.run_id IS NOT NULL OR j.worker_id IS NOT NULL OR j.pid IS NOT NULL \
         OR j.pid_start IS NOT NULL OR j.boot_id IS NOT NULL OR j.started_at IS NOT NULL \
         OR j.lease_until IS NOT NULL)",
        &[],
    )?;
    let id = |row| Reader::new("jobs", row).int("id").map(JobId);
    let mut found = rows.into_iter().map(id).collect::<Result<BTreeSet<_>>>()?;
    for job_id in jobs::in_motion(tx)? {
        // Such a row would fail every tick anew.
        if let Err(StoreError::Impossible { .. }) = jobs::with_task(tx, job_id) {
            found.insert(job_id);
        }
    }
    Ok(found.into_iter().collect())
}

/// Mends one job; returns how often it had to be. Each job is mended in a transaction of its own, so
/// that one which can't be mended keeps no other from it.
pub(crate) fn mend(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    job_id: JobId,
) -> Result<u64> {
    let traces = tx.query(
        "SELECT j.id, t.key, r.name, j.run_id, j.pid FROM jobs j \
         JOIN tasks t ON t.id = j.task_id JOIN repos r ON r.id = t.repo_id \
         WHERE j.id = $1 AND j.status = 'queued' AND (\
         j.run_id IS NOT NULL OR j.worker_id IS NOT NULL OR j.pid IS NOT NULL \
         OR j.pid_start IS NOT NULL OR j.boot_id IS NOT NULL OR j.started_at IS NOT NULL \
         OR j.lease_until IS NOT NULL)",
        params![job_id],
    )?;
    let mut mended = 0;
    for row in traces {
        mended += clean(tx, now, row)?;
    }
    if let Err(error @ StoreError::Impossible { .. }) = jobs::with_task(tx, job_id)
        && jobs::in_motion(tx)?.contains(&job_id)
    {
        damage::set_aside(tx, now, gate, job_id, &error)?;
        mended += 1;
    }
    Ok(mended)
}

fn clean(tx: &mut dyn Tx, now: Timestamp, row: Row) -> Result<u64> {
    let mut row = Reader::new("jobs", row);
    let job_id = JobId(row.int("id")?);
    let updated = tx.execute(
        concat!(
            "UPDATE jobs SET ",
            no_owner!(),
            ", ",
            no_hold!(),
            " WHERE id = $1 AND status = 'queued' AND finished_at IS NULL"
        ),
        params![job_id],
    )?;
    if updated == 0 {
        return Ok(0);
    }
    damage::close_runs(tx, now, job_id, "its job stood in the queue")?;
    // The other columns may be damaged too; what can't be read is left out of the event.
    let task = row.opt_parsed("task").unwrap_or_default();
    let repo = row.opt_parsed("repository").unwrap_or_default();
    let run_id = row.opt_parsed("run_id").unwrap_or_default();
    let pid = row.opt_int("pid").unwrap_or_default();
    let event = NewEvent {
        kind: EventKind::ImpossibleQueued,
        task,
        repo,
        run_id,
        message: format!("job {job_id} was queued with traces of an owner; they were removed"),
        data: json!({ "job": job_id, "pid": pid }),
    };
    events::append(tx, now, &event)?;
    Ok(1)
}
