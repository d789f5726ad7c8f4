//! The monitors' own writes: who looks next, what was seen, and how a watch ends.

use std::time::Duration;

use jiff::Timestamp;
use orch_core::decide::Alert;
use orch_core::deploy::Watch;
use orch_core::event::NewEvent;
use orch_core::ids::{DeployId, WorkerId};

use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::ops::apply::{alert, json};
use crate::ops::claim::lease_end;
use crate::ops::events;
use crate::rows::deploy::{self as rows, Monitor, MonitorState, deploy_columns, monitor_columns};
use crate::rows::{Reader, sound};

/// Gives the monitors that are due to a worker for a while, at most `limit`. One that another
/// worker has, whose lease holds, is left to it.
pub(crate) fn claim_due(
    tx: &mut dyn Tx,
    now: Timestamp,
    worker: &WorkerId,
    lease: Duration,
    limit: u32,
) -> Result<Vec<Monitor>> {
    let clock = tx.lease_clock(now)?;
    let rows = tx.query(
        "SELECT m.deploy_id FROM deploy_monitors m WHERE m.ended_at IS NULL \
         AND m.next_look_at <= $4 AND (m.lease_until IS NULL OR m.lease_until < $1 \
         OR m.worker_id = $2) ORDER BY m.next_look_at, m.deploy_id LIMIT $3",
        params![clock, worker, limit, now],
    )?;
    let mut claimed = Vec::new();
    for row in rows {
        let id = Reader::new("deploy_monitors", row).int("deploy_id")?;
        let mine = tx.execute(
            "UPDATE deploy_monitors SET worker_id = $2, lease_until = $3 WHERE deploy_id = $1 \
             AND ended_at IS NULL AND (lease_until IS NULL OR lease_until < $4 OR worker_id = $2)",
            params![id, worker, lease_end(clock, lease), clock],
        )?;
        if mine == 0 {
            continue;
        }
        let sql = format!(
            "SELECT {}, {} JOIN deploy_monitors m ON m.deploy_id = d.id WHERE d.id = $1",
            monitor_columns!(),
            deploy_columns!()
        );
        claimed.extend(sound(tx.query(&sql, params![id])?, rows::monitor));
    }
    Ok(claimed)
}

/// Renews the leases of monitors that a worker is at.
pub(crate) fn renew_monitors(
    tx: &mut dyn Tx,
    now: Timestamp,
    worker: &WorkerId,
    lease: Duration,
    ids: &[DeployId],
) -> Result<()> {
    let lease_until = lease_end(tx.lease_clock(now)?, lease);
    for id in ids {
        tx.execute(
            "UPDATE deploy_monitors SET lease_until = $3 WHERE deploy_id = $1 AND worker_id = $2",
            params![*id, worker, lease_until],
        )?;
    }
    Ok(())
}

/// Notes a look, and when the next is due; `reason` says what is wrong with the probe, `None`
/// that nothing is. False where the watch is over or another worker's.
pub(crate) fn note_look(
    tx: &mut dyn Tx,
    now: Timestamp,
    (id, worker): (DeployId, &WorkerId),
    watch: &Watch,
    next: Timestamp,
    reason: Option<&str>,
    told: Option<(&NewEvent, &Alert)>,
) -> Result<bool> {
    let noted = tx.execute(
        "UPDATE deploy_monitors SET watch = $3, next_look_at = $4, reason = $5, worker_id = NULL, \
         lease_until = NULL WHERE deploy_id = $1 AND worker_id = $2 AND ended_at IS NULL",
        params![id, worker, json("watch", watch)?, next, reason],
    )?;
    if noted > 0
        && let Some((event, item)) = told
    {
        events::record(tx, now, std::slice::from_ref(event))?;
        alert(tx, now, item)?;
    }
    Ok(noted > 0)
}

/// The watch has seen enough: the revision is being taken back. It stays due, so that whoever
/// comes after a crash goes on.
pub(crate) fn take_back(
    tx: &mut dyn Tx,
    now: Timestamp,
    id: DeployId,
    watch: &Watch,
    reason: &str,
    (event, item): (&NewEvent, &Alert),
) -> Result<bool> {
    let taken = tx.execute(
        "UPDATE deploy_monitors SET state = 'taking_back', watch = $2, reason = $3 \
         WHERE deploy_id = $1 AND state = 'watching'",
        params![id, json("watch", watch)?, reason],
    )?;
    if taken > 0 {
        events::record(tx, now, std::slice::from_ref(event))?;
        alert(tx, now, item)?;
    }
    Ok(taken > 0)
}

/// Ends a watch; false where it was over.
pub(crate) fn settle(
    tx: &mut dyn Tx,
    now: Timestamp,
    id: DeployId,
    state: MonitorState,
    reason: Option<&str>,
    told: (&[NewEvent], &[Alert]),
) -> Result<bool> {
    if matches!(state, MonitorState::Watching | MonitorState::TakingBack) {
        return Err(StoreError::conflict(&format!("monitor {id}"), "that is no end of it"));
    }
    let ended = tx.execute(
        "UPDATE deploy_monitors SET state = $2, reason = $3, ended_at = $4, worker_id = NULL, \
         lease_until = NULL WHERE deploy_id = $1 AND ended_at IS NULL",
        params![id, state.word(), reason, now],
    )?;
    if ended > 0 {
        events::record(tx, now, told.0)?;
        for item in told.1 {
            alert(tx, now, item)?;
        }
    }
    Ok(ended > 0)
}
