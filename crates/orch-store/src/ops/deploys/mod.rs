//! Deploys: begun or taken up, step by step intended and confirmed, ended; their targets' locks;
//! their monitors. Every write of a driver shows its run; one that changes the target shows the
//! lock's epoch too.

mod begin;
mod end;
mod lock;
mod monitors;
mod read;
mod steps;

pub use begin::NewDeploy;
pub use end::{DeployEnd, NewMonitor};
pub use lock::{LockFence, LockRequest};
pub use steps::NewStep;

pub(crate) use begin::{abandon, begin};
pub(crate) use end::end;
pub(crate) use lock::{held, release, renew, take};
pub(crate) use monitors::{claim_due, note_look, renew_monitors, settle, take_back};
pub(crate) use read::{deploy, latest, monitor_of, monitors, steps_of, target, targets};
pub(crate) use steps::{confirm, intend, note};

use orch_core::ids::{DeployId, RunId};

use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};

/// Refuses a driver whose deploy another run drives by now, or which is over.
fn driven(tx: &mut dyn Tx, id: DeployId, run: &RunId) -> Result<()> {
    let sql = format!(
        "SELECT d.id FROM deploys d WHERE d.id = $1 AND d.run_id = $2 AND d.state = 'open'{}",
        tx.dialect().row_lock
    );
    if tx.query(&sql, params![id, run])?.is_empty() {
        let reason = "another run drives it by now, or it is over";
        return Err(StoreError::conflict(&format!("deploy {id}"), reason));
    }
    Ok(())
}
