//! The lock of a deploy target.

use std::time::Duration;

use jiff::Timestamp;
use orch_core::deploy::{Action, Grant, StepResult, may_take};
use orch_core::ids::{DeployId, Revision, RunId, WorkerId};

use super::{read, steps};
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::ops::claim::lease_end;

/// What a step shows that changes a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockFence {
    /// The target.
    pub target: String,
    /// The epoch by which its lock was taken.
    pub epoch: u64,
}

/// Who asks for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockRequest {
    /// The deploy.
    pub deploy_id: DeployId,
    /// The run that drives it.
    pub run_id: RunId,
    /// Its worker.
    pub worker_id: WorkerId,
    /// How long the lock holds without a heartbeat.
    pub lease: Duration,
    /// The last good revision of the target where it is a later one that holds this deploy's;
    /// counts only while it is still the last good one.
    pub newer: Option<Revision>,
}

/// Takes the lock of a deploy's target, or says who has it; the journal says the same. Asked again
/// by the same deploy it is taken anew, by a higher epoch.
pub(crate) fn take(tx: &mut dyn Tx, now: Timestamp, request: &LockRequest) -> Result<StepResult> {
    super::driven(tx, request.deploy_id, &request.run_id)?;
    let deploy = read::deploy(tx, request.deploy_id)?;
    tx.execute(
        "INSERT INTO deploy_targets (target) VALUES ($1) ON CONFLICT (target) DO NOTHING",
        params![&deploy.target],
    )?;
    let target = read::target_locked(tx, &deploy.target)?;
    let clock = tx.lease_clock(now)?;
    let result = match may_take(&target.lock, request.deploy_id, clock) {
        Grant::Refused { until, reason } => StepResult::Busy { by: reason, until },
        Grant::Granted { taken_over } => {
            let epoch = target.lock.epoch + 1;
            let lease_until = lease_end(clock, request.lease);
            tx.execute(
                "UPDATE deploy_targets SET epoch = $2, deploy_id = $3, worker_id = $4, \
                 lease_until = $5, busy_until = NULL WHERE target = $1",
                params![&deploy.target, epoch, request.deploy_id, &request.worker_id, lease_until],
            )?;
            let sql = "UPDATE deploys SET lock_epoch = $2 WHERE id = $1";
            tx.execute(sql, params![request.deploy_id, epoch])?;
            let last_good = target.good.map(|(_, revision)| revision);
            StepResult::Locked {
                epoch,
                newer: request.newer.clone().filter(|newer| Some(newer) == last_good.as_ref()),
                last_good,
                intervened: deploy.lock_epoch.is_some_and(|own| own != target.lock.epoch),
                taken_over,
            }
        }
    };
    let of = (&request.run_id, &request.worker_id);
    steps::note(tx, now, request.deploy_id, of, &Action::Lock, &result)?;
    Ok(result)
}

/// The lock that a deploy has with this worker, its lease begun anew; `None` where it has none.
pub(crate) fn held(
    tx: &mut dyn Tx,
    now: Timestamp,
    deploy: DeployId,
    worker: &WorkerId,
    lease: Duration,
) -> Result<Option<LockFence>> {
    let lease_until = lease_end(tx.lease_clock(now)?, lease);
    let rows = tx.query(
        "UPDATE deploy_targets SET lease_until = $3 WHERE deploy_id = $1 AND worker_id = $2 \
         RETURNING target, epoch",
        params![deploy, worker, lease_until],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut row = crate::rows::Reader::new("deploy_targets", row);
    Ok(Some(LockFence { target: row.text("target")?, epoch: row.number("epoch")? }))
}

/// Renews the leases of locks that are driven; the heartbeat of deploys.
pub(crate) fn renew(
    tx: &mut dyn Tx,
    now: Timestamp,
    worker: &WorkerId,
    lease: Duration,
    locks: &[LockFence],
) -> Result<()> {
    let lease_until = lease_end(tx.lease_clock(now)?, lease);
    for lock in locks {
        tx.execute(
            "UPDATE deploy_targets SET lease_until = $4 \
             WHERE target = $1 AND epoch = $2 AND worker_id = $3",
            params![&lock.target, lock.epoch, worker, lease_until],
        )?;
    }
    Ok(())
}

/// Gives a deploy's lock back, where it has one.
pub(crate) fn release(tx: &mut dyn Tx, deploy: DeployId) -> Result<()> {
    tx.execute(
        "UPDATE deploy_targets SET deploy_id = NULL, worker_id = NULL, lease_until = NULL, \
         busy_until = NULL WHERE deploy_id = $1",
        params![deploy],
    )?;
    Ok(())
}
