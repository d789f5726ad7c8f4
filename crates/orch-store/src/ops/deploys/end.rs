//! A deploy ends: its lock is given back, what is good is noted, and a monitor begins, in one
//! transaction.

use jiff::Timestamp;
use orch_core::decide::Alert;
use orch_core::deploy::{End, Seen, Watch};
use orch_core::event::NewEvent;
use orch_core::ids::{DeployId, Revision, RunId};

use super::read;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::ops::apply::{alert, json};
use crate::ops::events;

/// A watch that begins with the end of a deploy.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMonitor {
    /// What was seen when the deploy was found good.
    pub good: Seen,
    /// The revision to take it back to; `None` where the way back was not proven.
    pub back_to: Option<Revision>,
    /// When the first look is due.
    pub first_look: Timestamp,
    /// When the watch ends.
    pub until: Timestamp,
}

/// How a deploy ends.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployEnd {
    /// The deploy.
    pub deploy_id: DeployId,
    /// The run that drives it.
    pub run_id: RunId,
    /// Its end; never [`End::Stuck`], which only gives the lock back.
    pub end: End,
    /// The watch that begins; `None` where nothing is to be watched.
    pub monitor: Option<NewMonitor>,
    /// What is recorded.
    pub events: Vec<NewEvent>,
    /// What somebody has to be told.
    pub alerts: Vec<Alert>,
}

/// Ends a deploy, or lets a stuck one stand without its lock.
pub(crate) fn end(tx: &mut dyn Tx, now: Timestamp, ending: &DeployEnd) -> Result<()> {
    let DeployEnd { deploy_id, run_id, end, monitor, events, alerts } = ending;
    super::driven(tx, *deploy_id, run_id)?;
    let deploy = read::deploy(tx, *deploy_id)?;
    let (state, good) = match end {
        End::Done { .. } => (Some("done"), Some(&deploy.revision)),
        End::Superseded { .. } => (Some("superseded"), None),
        End::Failed { .. } => (Some("failed"), None),
        End::RolledBack { to, .. } => (Some("rolled_back"), Some(to)),
        End::Stuck(_) => (None, None),
    };
    if let Some(state) = state {
        let ended = tx.execute(
            "UPDATE deploys SET state = $2, ending = $3, ended_at = $4 WHERE id = $1 \
             AND NOT EXISTS (SELECT 1 FROM deploy_steps s WHERE s.deploy_id = $1 \
             AND s.done_at IS NULL)",
            params![*deploy_id, state, json("ending", end)?, now],
        )?;
        if ended == 0 {
            let reason = "a step of it is not confirmed";
            return Err(StoreError::conflict(&format!("deploy {deploy_id}"), reason));
        }
    }
    if let Some(revision) = good {
        tx.execute(
            "UPDATE deploy_targets SET good_revision = $2, good_at = $3, good_repo = (\
             SELECT t.repo_id FROM tasks t WHERE t.id = $4) WHERE target = $1",
            params![&deploy.target, revision, now, deploy.task_id],
        )?;
    }
    super::release(tx, *deploy_id)?;
    if let Some(new) = monitor {
        tx.execute(
            "INSERT INTO deploy_monitors (deploy_id, target, good, watch, back_to, began_at, \
             until_at, next_look_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                *deploy_id,
                &deploy.target,
                json("good", &new.good)?,
                json("watch", &Watch::default())?,
                new.back_to.as_ref(),
                now,
                new.until,
                new.first_look,
            ],
        )?;
    }
    events::record(tx, now, events)?;
    for item in alerts {
        alert(tx, now, item)?;
    }
    Ok(())
}
