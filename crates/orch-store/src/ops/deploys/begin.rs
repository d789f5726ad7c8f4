//! A deploy is begun, or the one that stands is taken up by another run.

use jiff::Timestamp;
use orch_core::deploy::Purpose;
use orch_core::ids::{DeployId, Revision, RunId, TaskId};
use orch_core::job::Fence;

use super::read;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::ops::guard::{Guard, fence_holds};
use crate::rows::deploy::Deploy;

/// A deploy to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDeploy {
    /// The task.
    pub task_id: TaskId,
    /// Where it goes.
    pub target: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The landed revision.
    pub revision: Revision,
    /// The run that drives it.
    pub run_id: RunId,
    /// The run's claim on the task's job; `None` where the monitor drives it.
    pub fence: Option<Fence>,
}

/// Begins a deploy, or gives the task's last one to this run: one that is open, or one that ended
/// and whose end no run has brought to its task yet.
pub(crate) fn begin(tx: &mut dyn Tx, now: Timestamp, new: &NewDeploy) -> Result<Deploy> {
    if let Some(fence) = &new.fence {
        let rows = tx.query(
            concat!("SELECT id FROM jobs WHERE ", fence_holds!()),
            params![fence.job_id, fence.run_epoch, &fence.run_id],
        )?;
        if rows.is_empty() {
            return Err(Guard::Run(fence.clone()).fenced());
        }
    }
    if let Some(last) = read::latest(tx, new.task_id, new.purpose.word())?
        && last.revision == new.revision
        && (last.ended.is_none() || !is_settled(tx, &last)?)
    {
        let sql = "UPDATE deploys SET run_id = $2 WHERE id = $1";
        tx.execute(sql, params![last.id, &new.run_id])?;
        return Ok(Deploy { run_id: new.run_id.clone(), ..last });
    }
    abandon_open(tx, now, new)?;
    let (to, evidence) = match &new.purpose {
        Purpose::Deploy => (None, None),
        Purpose::Restore { to, evidence } => (Some(to), Some(evidence)),
    };
    let rows = tx.query(
        "INSERT INTO deploys (task_id, target, purpose, revision, restore_to, restore_evidence, \
         run_id, began_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        params![
            new.task_id,
            &new.target,
            new.purpose.word(),
            &new.revision,
            to,
            evidence,
            &new.run_id,
            now,
        ],
    )?;
    let id = DeployId(crate::rows::count(&rows) as i64);
    read::deploy(tx, id)
}

/// Whether the run that ended a deploy came to its own end: its decision was applied with it. A
/// restore is its monitor's, and so the deploy's that was the last when it was begun.
fn is_settled(tx: &mut dyn Tx, deploy: &Deploy) -> Result<bool> {
    if deploy.purpose != Purpose::Deploy {
        let last = read::latest(tx, deploy.task_id, Purpose::Deploy.word())?;
        return Ok(last.is_some_and(|last| last.id > deploy.id));
    }
    let sql = "SELECT n.run_id FROM runs n WHERE n.run_id = $1 AND n.outcome_kind = 'suite_ran'";
    Ok(!tx.query(sql, params![&deploy.run_id])?.is_empty())
}

/// A task has landed anew: what was open for an earlier revision is nobody's any more.
fn abandon_open(tx: &mut dyn Tx, now: Timestamp, new: &NewDeploy) -> Result<()> {
    let rows = tx.query(
        "SELECT d.id FROM deploys d WHERE d.task_id = $1 AND d.purpose = $2 AND d.state = 'open'",
        params![new.task_id, new.purpose.word()],
    )?;
    for row in rows {
        let id = DeployId(crate::rows::count(&[row]) as i64);
        give_up(tx, now, id, "another revision of its task landed")?;
    }
    Ok(())
}

/// Ends open deploys of tasks that are over: somebody cancelled them. Returns how many.
pub(crate) fn abandon(tx: &mut dyn Tx, now: Timestamp) -> Result<u64> {
    let rows = tx.query(
        "SELECT d.id FROM deploys d JOIN tasks t ON t.id = d.task_id \
         WHERE d.state = 'open' AND d.purpose = 'deploy' AND t.finished_at IS NOT NULL",
        &[],
    )?;
    let many = rows.len() as u64;
    for row in rows {
        let id = DeployId(crate::rows::count(&[row]) as i64);
        give_up(tx, now, id, "its task is over")?;
    }
    Ok(many)
}

fn give_up(tx: &mut dyn Tx, now: Timestamp, id: DeployId, reason: &str) -> Result<()> {
    let end = orch_core::deploy::End::Failed { reason: reason.to_owned(), loud: false };
    let ending = crate::ops::apply::json("ending", &end)?;
    tx.execute(
        "UPDATE deploys SET state = 'abandoned', ending = $2, ended_at = $3 WHERE id = $1",
        params![id, ending, now],
    )?;
    super::release(tx, id)
}

/// What a lock's owner is told when the lock is no longer its own.
pub(super) fn lock_lost(target: &str) -> StoreError {
    let reason = "its lock is no longer this deploy's: the lease ran out, and another may have it";
    StoreError::conflict(&format!("deploy target {target}"), reason)
}
