//! A run writes down what it learns while it runs; each write shows its fence.

use orch_core::breaker::Channel;
use orch_core::ids::Revision;
use orch_core::job::Fence;
use orch_core::process::ProcessIdentity;
use orch_core::session::RunSession;

use super::apply::json;
use super::guard::{Guard, fence_holds};
use crate::engine::{Tx, Value, params};
use crate::error::Result;

/// Stamps the process that a spawn made; only this ever puts a pid into a row.
pub(crate) fn process(tx: &mut dyn Tx, fence: &Fence, process: &ProcessIdentity) -> Result<()> {
    let stamped = tx.execute(
        concat!("UPDATE jobs SET pid = $4, pid_start = $5, boot_id = $6 WHERE ", fence_holds!()),
        params![
            fence.job_id,
            fence.run_epoch,
            &fence.run_id,
            process.pid,
            process.start_time,
            &process.boot_id,
        ],
    )?;
    held(fence, stamped)?;
    tx.execute(
        "UPDATE runs SET pid = $2, pid_start = $3, boot_id = $4 WHERE run_id = $1",
        params![&fence.run_id, process.pid, process.start_time, &process.boot_id],
    )?;
    Ok(())
}

/// Stamps the tip of the branch on which the run began.
pub(crate) fn base(tx: &mut dyn Tx, fence: &Fence, base: &Revision) -> Result<()> {
    on_run(
        tx,
        concat!(
            "UPDATE runs SET base_commit = $4 WHERE run_id = $3 AND EXISTS (\
             SELECT 1 FROM jobs WHERE ",
            fence_holds!(),
            ")"
        ),
        fence,
        base.into(),
    )
}

/// Stamps where the run's log is, where that is not the usual place.
pub(crate) fn log_dir(tx: &mut dyn Tx, fence: &Fence, dir: &str) -> Result<()> {
    on_run(
        tx,
        concat!(
            "UPDATE runs SET log_dir = $4 WHERE run_id = $3 AND EXISTS (\
             SELECT 1 FROM jobs WHERE ",
            fence_holds!(),
            ")"
        ),
        fence,
        dir.into(),
    )
}

/// Stamps the session in which the run works.
pub(crate) fn session(tx: &mut dyn Tx, fence: &Fence, session: &RunSession) -> Result<()> {
    on_run(
        tx,
        concat!(
            "UPDATE runs SET session = $4 WHERE run_id = $3 AND EXISTS (\
             SELECT 1 FROM jobs WHERE ",
            fence_holds!(),
            ")"
        ),
        fence,
        json("session", session)?.into(),
    )
}

/// Stamps what the run goes through, where more is known of it than its job says.
pub(crate) fn channel(tx: &mut dyn Tx, fence: &Fence, channel: &Channel) -> Result<()> {
    on_run(
        tx,
        concat!(
            "UPDATE runs SET channel = $4 WHERE run_id = $3 AND EXISTS (\
             SELECT 1 FROM jobs WHERE ",
            fence_holds!(),
            ")"
        ),
        fence,
        channel.to_string().into(),
    )
}

fn on_run(tx: &mut dyn Tx, sql: &str, fence: &Fence, value: Value) -> Result<()> {
    let run_id = Value::from(&fence.run_id);
    let changed = tx.execute(sql, &[fence.job_id.into(), fence.run_epoch.into(), run_id, value])?;
    held(fence, changed)
}

fn held(fence: &Fence, changed: u64) -> Result<()> {
    if changed == 0 { Err(Guard::Run(fence.clone()).fenced()) } else { Ok(()) }
}
