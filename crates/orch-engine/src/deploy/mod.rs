//! The deploy of a landed revision (S9). What comes next is decided by [`orch_core::deploy::next`]
//! from the journal in the store; here it is done.
//!
//! A deploy belongs to its journal, not to a process: [`run`] reads it, does the next action and
//! reads it again. Before each action its intent is in the store, with the place of the supervisor
//! that runs its command; the supervisor outlives the service. So a deploy that restarts the very
//! service that drives it is an ordinary one:
//!
//! - the reaper of the *new* process finds the job running and its own, and calls [`run`] again
//!   (`Sighting::goes_on`): no crash is counted, the run id and the claim stay the same;
//! - an intent without a result is settled by looking: a command whose supervisor lives is waited
//!   for, one that left an exit is read, one that never started is started while the lock is
//!   still held, one that is gone is `Vanished` and what runs decides;
//! - looks are done again from the start; they change nothing.
//!
//! Whoever deploys the service itself needs nothing more than `[deploy] command` (which may stop
//! and start the service, as long as what it starts is not its own child: the supervisor ends the
//! command's tree), `revision_url` on the service's own `GET /status` with `revision_field =
//! "/revision"`, and `rollback_command`. The environment of every command says which deploy it is
//! part of: `ORCH_DEPLOY_ID`, `ORCH_DEPLOY_TARGET`, `ORCH_REVISION`, `ORCH_PREVIOUS_REVISION`.

mod commands;
mod driver;
mod elsewhere;
mod finish;
mod log;
pub mod monitor;
mod probe;
mod words;

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use orch_core::deploy::{End, Patience, Plan, Purpose, Stuck};
use orch_core::ids::Revision;
use orch_core::settings;
use orch_store::{LockFence, NewDeploy};

pub use log::DeployLog;
pub use monitor::Monitors;
pub use words::standing;

use self::driver::Driver;
use crate::active::Driven;
use crate::engine::Engine;
use crate::repo_config::RepoConfig;
use crate::run::{Halt, Owned};
use crate::runners::RunnerKind;

/// What a deploy came to, for now.
#[derive(Debug)]
pub enum Deployed {
    /// Another one has its target.
    Waits {
        /// Not to be tried again before this moment.
        until: Timestamp,
        /// Who has it.
        reason: String,
    },
    /// It ended.
    Ended(Box<DeployLog>),
}

/// The longest wait before a target's lock is asked for again: it may be free sooner than its
/// lease says.
const ASK_AGAIN: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);

/// Begins the deploy of a task that has landed, or goes on with it from where it stands.
pub fn run(
    engine: &Engine,
    owned: &Owned,
    driven: &Driven,
    config: &RepoConfig,
) -> Result<Deployed, Halt> {
    let settings = &config.settings.deploy;
    if settings.command.is_none() {
        return Err(Halt::environment("[deploy] command is not set any more; set it in orch.toml"));
    }
    let Some(revision) = owned.task.progress.merged.clone() else {
        return Err(Halt::environment("nothing of this task has landed that could be deployed"));
    };
    let worktree = engine.worktree(owned)?;
    let new = NewDeploy {
        task_id: owned.task.id,
        target: target(settings, owned),
        purpose: Purpose::Deploy,
        revision,
        run_id: owned.owner.run_id.clone(),
        fence: Some(owned.fence()),
    };
    if let Some(channel) = RunnerKind::Deploy.channel(config) {
        engine.store.stamp_channel(&owned.fence(), &channel)?;
    }
    let deploy = engine.store.begin_deploy(engine.clock.now(), &new)?;
    let lost = || driven.is_lost();
    let overruled = || driven.overruled();
    let mut driver = Driver {
        engine,
        settings,
        redact: &config.settings.redact,
        deploy,
        cwd: worktree.path().to_owned(),
        facts: facts(owned),
        lock: None,
        lost: &lost,
        overruled: &overruled,
    };
    let end = driver.drive()?;
    let Driver { deploy, .. } = driver;
    match end {
        End::Stuck(Stuck { reason, patience }) => match patience {
            Patience::Lock(until) => {
                let soon = engine.clock.now() + ASK_AGAIN;
                Ok(Deployed::Waits { until: until.min(soon), reason })
            }
            Patience::Moment => Err(Halt::moment(reason)),
            Patience::Somebody => Err(Halt::environment(reason)),
        },
        end => {
            let steps = engine.store.deploy_steps(deploy.id)?;
            let ended_at = engine.store.deploy(deploy.id)?.ended.map(|(_, at)| at);
            let ended_at = ended_at.unwrap_or_else(|| engine.clock.now());
            Ok(Deployed::Ended(Box::new(DeployLog { deploy, end, steps, ended_at })))
        }
    }
}

/// Where a repository deploys to: one name for all who share the place.
fn target(settings: &settings::Deploy, owned: &Owned) -> String {
    settings.target.clone().unwrap_or_else(|| owned.task.repo.to_string())
}

/// What there is to do, by the settings in force.
fn plan(settings: &settings::Deploy, purpose: &Purpose, revision: &Revision) -> Plan {
    Plan {
        purpose: purpose.clone(),
        revision: revision.clone(),
        health: settings.health_url.is_some(),
        freshness: settings.freshness.is_some(),
        drain: settings.drain.is_some(),
        rollback: settings.rollback_command.is_some(),
        rollback_check: settings.rollback_check.is_some(),
        require_rollback: settings.require_rollback,
    }
}

fn facts(owned: &Owned) -> Vec<(&'static str, String)> {
    vec![
        ("ORCH_TASK", owned.task.key.to_string()),
        ("ORCH_STAGE", owned.job.stage.to_string()),
        ("ORCH_AGENT", owned.job.agent.to_string()),
        ("ORCH_ATTEMPT", owned.attempt.to_string()),
        ("ORCH_RUN_ID", owned.owner.run_id.to_string()),
    ]
}

/// The locks of deploy targets that this process drives; the heartbeat prolongs their leases.
#[derive(Debug, Default)]
pub struct DeployLocks(Mutex<Vec<LockFence>>);

impl DeployLocks {
    /// The locks.
    pub fn driven(&self) -> Vec<LockFence> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A lock is driven until its entry goes.
    fn enter(&self, lock: &LockFence) -> Kept<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(lock.clone());
        Kept { locks: self, lock: lock.clone() }
    }
}

/// A lock that is driven.
#[derive(Debug)]
struct Kept<'a> {
    locks: &'a DeployLocks,
    lock: LockFence,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let mut all = self.locks.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = all.iter().position(|lock| *lock == self.lock) {
            all.swap_remove(at);
        }
    }
}
