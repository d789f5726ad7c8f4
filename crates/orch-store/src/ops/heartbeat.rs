//! A worker says that its runs live: their leases begin anew.

use std::time::Duration;

use jiff::Timestamp;
use orch_core::ids::WorkerId;
use orch_core::job::Fence;

use super::claim::lease_end;
use super::guard::fence_holds;
use crate::engine::{Tx, params};
use crate::error::Result;

/// Renews the leases; returns the fences that hold no longer, whose runs are to be killed.
pub(crate) fn heartbeat(
    tx: &mut dyn Tx,
    now: Timestamp,
    worker: &WorkerId,
    lease: Duration,
    fences: &[Fence],
) -> Result<Vec<Fence>> {
    let lease_until = lease_end(tx.lease_clock(now)?, lease);
    let mut lost = Vec::new();
    for fence in fences {
        let renewed = tx.execute(
            concat!("UPDATE jobs SET lease_until = $4 WHERE worker_id = $5 AND ", fence_holds!()),
            params![fence.job_id, fence.run_epoch, &fence.run_id, lease_until, worker],
        )?;
        if renewed == 0 {
            lost.push(fence.clone());
        }
    }
    Ok(lost)
}
