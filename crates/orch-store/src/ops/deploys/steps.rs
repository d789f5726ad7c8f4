//! The journal of a deploy: an intent before each action, its result afterwards.

use std::time::Duration;

use jiff::Timestamp;
use orch_core::deploy::{Action, StepResult};
use orch_core::ids::{DeployId, RunId, WorkerId};

use super::LockFence;
use super::begin::lock_lost;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::ops::apply::json;
use crate::ops::claim::lease_end;

/// A step about to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewStep {
    /// The deploy.
    pub deploy_id: DeployId,
    /// The lock under which it is done.
    pub lock: LockFence,
    /// How long the lock holds from here without a heartbeat.
    pub lease: Duration,
    /// The run that drives it.
    pub run_id: RunId,
    /// Its worker.
    pub worker_id: WorkerId,
    /// What is intended.
    pub action: Action,
    /// Where a command's supervisor will work; `None` where it is no command.
    pub dir: Option<String>,
    /// How long a command may be at work even if its owner dies.
    pub busy: Option<Duration>,
}

/// Records an intent; returns its place. The lock is looked at in the same transaction: where it
/// is no longer the deploy's own, nothing is intended.
pub(crate) fn intend(tx: &mut dyn Tx, now: Timestamp, step: &NewStep) -> Result<u32> {
    super::driven(tx, step.deploy_id, &step.run_id)?;
    let clock = tx.lease_clock(now)?;
    let busy = step.busy.map(|busy| lease_end(clock, busy));
    let kept = tx.execute(
        "UPDATE deploy_targets SET lease_until = $6, busy_until = $7 WHERE target = $1 \
         AND epoch = $2 AND deploy_id = $3 AND worker_id = $4 AND lease_until >= $5",
        params![
            &step.lock.target,
            step.lock.epoch,
            step.deploy_id,
            &step.worker_id,
            clock,
            lease_end(clock, step.lease),
            busy,
        ],
    )?;
    if kept == 0 {
        return Err(lock_lost(&step.lock.target));
    }
    if step.action == Action::Deploy {
        tx.execute(
            "UPDATE deploy_monitors SET state = 'superseded', ended_at = $2, \
             reason = 'a next deploy began', worker_id = NULL, lease_until = NULL \
             WHERE target = $1 AND state = 'watching'",
            params![&step.lock.target, now],
        )?;
    }
    let seq = next_seq(tx, step.deploy_id)?;
    insert(
        tx,
        now,
        step.deploy_id,
        seq,
        (&step.run_id, &step.worker_id),
        &step.action,
        step.dir.as_deref(),
        None,
    )?;
    Ok(seq)
}

/// Confirms an intent with what it came to. Confirmed twice it is a conflict.
pub(crate) fn confirm(
    tx: &mut dyn Tx,
    now: Timestamp,
    deploy: DeployId,
    run: &RunId,
    seq: u32,
    result: &StepResult,
) -> Result<()> {
    super::driven(tx, deploy, run)?;
    let done = tx.execute(
        "UPDATE deploy_steps SET result = $3, done_at = $4 \
         WHERE deploy_id = $1 AND seq = $2 AND done_at IS NULL",
        params![deploy, seq, json("result", result)?, now],
    )?;
    if done == 0 {
        let reason = format!("step {seq} is not open");
        return Err(StoreError::conflict(&format!("deploy {deploy}"), reason));
    }
    tx.execute(
        "UPDATE deploy_targets SET busy_until = NULL WHERE deploy_id = $1",
        params![deploy],
    )?;
    Ok(())
}

/// Records a step that is done with its recording.
pub(crate) fn note(
    tx: &mut dyn Tx,
    now: Timestamp,
    deploy: DeployId,
    (run, worker): (&RunId, &WorkerId),
    action: &Action,
    result: &StepResult,
) -> Result<u32> {
    super::driven(tx, deploy, run)?;
    let seq = next_seq(tx, deploy)?;
    insert(tx, now, deploy, seq, (run, worker), action, None, Some(result))?;
    Ok(seq)
}

fn next_seq(tx: &mut dyn Tx, deploy: DeployId) -> Result<u32> {
    let rows = tx.query(
        "SELECT coalesce(max(s.seq), 0) + 1 FROM deploy_steps s WHERE s.deploy_id = $1",
        params![deploy],
    )?;
    Ok(u32::try_from(crate::rows::count(&rows)).unwrap_or(u32::MAX))
}

#[expect(clippy::too_many_arguments, reason = "one column each, and two call sites")]
fn insert(
    tx: &mut dyn Tx,
    now: Timestamp,
    deploy: DeployId,
    seq: u32,
    (run, worker): (&RunId, &WorkerId),
    action: &Action,
    dir: Option<&str>,
    result: Option<&StepResult>,
) -> Result<()> {
    let done_at = result.map(|_| now);
    let result = result.map(|result| json("result", result)).transpose()?;
    tx.execute(
        "INSERT INTO deploy_steps (deploy_id, seq, action, intent, run_id, worker_id, dir, \
         intended_at, result, done_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            deploy,
            seq,
            action.word(),
            json("intent", action)?,
            run,
            worker,
            dir,
            now,
            result,
            done_at,
        ],
    )?;
    Ok(())
}
