//! What stands of deploys.

use orch_core::ids::{DeployId, TaskId};

use crate::engine::{Tx, Value, params};
use crate::error::{Result, StoreError};
use crate::rows::deploy::{
    self as rows, Deploy, DeployStep, DeployTarget, Monitor, TargetLock, deploy_columns,
    monitor_columns, target_columns,
};
use crate::rows::sound;

/// Monitors that are listed.
const MONITORS: u32 = 50;

/// A deploy.
pub(crate) fn deploy(tx: &mut dyn Tx, id: DeployId) -> Result<Deploy> {
    let rows = tx.query(concat!("SELECT ", deploy_columns!(), " WHERE d.id = $1"), params![id])?;
    let row = rows.into_iter().next().ok_or_else(|| StoreError::not_found("deploy", &id))?;
    rows::deploy(row)
}

/// The last deploy of a task for a purpose; `None` before the first.
pub(crate) fn latest(tx: &mut dyn Tx, task: TaskId, purpose: &str) -> Result<Option<Deploy>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            deploy_columns!(),
            " WHERE d.task_id = $1 AND d.purpose = $2 ORDER BY d.id DESC LIMIT 1"
        ),
        params![task, purpose],
    )?;
    rows.into_iter().next().map(rows::deploy).transpose()
}

/// The journal of a deploy, in order. A damaged step is an error: nothing may go on without it.
pub(crate) fn steps_of(tx: &mut dyn Tx, id: DeployId) -> Result<Vec<DeployStep>> {
    let rows = tx.query(
        "SELECT s.seq, s.intent, s.run_id, s.worker_id, s.dir, s.intended_at, s.result, s.done_at \
         FROM deploy_steps s WHERE s.deploy_id = $1 ORDER BY s.seq",
        params![id],
    )?;
    rows.into_iter().map(rows::step).collect()
}

/// A target; `None` where nothing was ever deployed there.
pub(crate) fn target(tx: &mut dyn Tx, target: &str) -> Result<Option<DeployTarget>> {
    let rows =
        tx.query(concat!("SELECT ", target_columns!(), " WHERE g.target = $1"), params![target])?;
    rows.into_iter().next().map(rows::target).transpose()
}

/// A target whose row is about to be changed by what is read.
pub(super) fn target_locked(tx: &mut dyn Tx, target: &str) -> Result<DeployTarget> {
    let lock = match tx.dialect().row_lock {
        "" => "",
        _ => " FOR UPDATE OF g",
    };
    let sql = format!("SELECT {} WHERE g.target = $1{lock}", target_columns!());
    let row = tx.query(&sql, params![target])?.into_iter().next();
    rows::target(row.ok_or_else(|| StoreError::not_found("deploy target", &target))?)
}

/// Every target with whoever has its lock, by name.
pub(crate) fn targets(tx: &mut dyn Tx) -> Result<Vec<TargetLock>> {
    let rows = tx.query(concat!("SELECT ", target_columns!(), " ORDER BY g.target"), &[])?;
    let mut all = Vec::new();
    for target in sound(rows, rows::target) {
        let held = match target.lock.held {
            Some(held) => {
                let key = deploy(tx, held.deploy)?.task;
                Some((held, key))
            }
            None => None,
        };
        let good = target.good.map(|(_, revision)| revision);
        all.push(TargetLock { target: target.target, epoch: target.lock.epoch, held, good });
    }
    Ok(all)
}

/// Monitors that watch, and the last that did, newest first.
pub(crate) fn monitors(tx: &mut dyn Tx) -> Result<Vec<Monitor>> {
    let sql = format!(
        "SELECT {}, {} JOIN deploy_monitors m ON m.deploy_id = d.id \
         ORDER BY (m.ended_at IS NULL) DESC, m.deploy_id DESC LIMIT $1",
        monitor_columns!(),
        deploy_columns!()
    );
    Ok(sound(tx.query(&sql, &[Value::from(MONITORS)])?, rows::monitor))
}

/// The monitor of a task's last deploy; `None` where none watched it.
pub(crate) fn monitor_of(tx: &mut dyn Tx, task: TaskId) -> Result<Option<Monitor>> {
    let sql = format!(
        "SELECT {}, {} JOIN deploy_monitors m ON m.deploy_id = d.id WHERE d.task_id = $1 \
         ORDER BY m.deploy_id DESC LIMIT 1",
        monitor_columns!(),
        deploy_columns!()
    );
    tx.query(&sql, params![task])?.into_iter().next().map(rows::monitor).transpose()
}
