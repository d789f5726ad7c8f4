//! A run from its claim to its end, one effect at a time, in the order of the engine's own `run`.

use std::collections::BTreeSet;

use orch_core::ids::{RunId, TaskKey};
use orch_core::outcome::Outcome;
use orch_core::reap::Observation;
use orch_store::StoreError;

use super::git::{Branch, revision};
use super::node::{Driver, Phase};
use super::settle::Ended;
use super::truth::Fact;
use super::{Broken, World};
use crate::directive::{Place, Worker};
use crate::plant::Plant;

/// Why a run is left before its end.
pub enum Halt {
    /// The service died.
    Crashed,
    /// The run has lost its job.
    Lost,
    /// Infrastructure failed under it.
    Infra(Outcome, Fact),
}

impl Halt {
    /// Something that waiting may mend.
    pub fn moment(reason: impl Into<String>) -> Self {
        Self::Infra(Outcome::TransientInfra { reason: reason.into() }, Fact::Waits)
    }
}

impl From<Broken> for Halt {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Crashed => Self::Crashed,
            Broken::Store(StoreError::Fenced { .. }) => Self::Lost,
            other => Self::moment(other.words()),
        }
    }
}

impl World {
    /// Drives a worker's oldest run of a task by one effect.
    pub fn step(&mut self, worker: Worker, key: &TaskKey) {
        let Some(node) = self.node_mut(worker) else { return };
        let Some(place) = node.drivers.iter().position(|driver| driver.key() == key) else {
            return self.say(format!("  {worker} drives no run of {key}"));
        };
        let mut driver = node.drivers.remove(place);
        self.say(format!("  {worker} {}: {}", driver.key(), driver.phase.word()));
        let goes_on = match self.drive(worker, &mut driver) {
            Ok(goes_on) => goes_on,
            Err(Halt::Crashed) => false,
            Err(Halt::Lost) => {
                self.discard(worker, &driver);
                false
            }
            Err(Halt::Infra(outcome, fact)) => {
                self.say(format!("  halted: {}", outcome_words(&outcome)));
                let now = self.clock(Place::At(worker));
                if let Some(node) = self.node_mut(worker) {
                    node.machine.end_run(driver.run(), now);
                }
                driver.phase = Phase::Settle(Box::new(Ended::halted(&driver, outcome, fact)));
                true
            }
        };
        if let Some(node) = self.node_mut(worker)
            && goes_on
            && node.up
        {
            node.drivers.insert(place.min(node.drivers.len()), driver);
        }
    }

    /// One effect; true where the run goes on.
    fn drive(&mut self, worker: Worker, driver: &mut Driver) -> Result<bool, Halt> {
        let phase = std::mem::replace(&mut driver.phase, Phase::Wait);
        driver.phase = match phase {
            Phase::Prepare => {
                self.prepare(worker, driver)?;
                Phase::StampBase
            }
            Phase::StampBase => {
                let (fence, base) = (driver.fence(), revision(driver.base.unwrap_or(0)));
                self.fenced(worker, &fence, |store, _| store.stamp_base(&fence, &base))?;
                Phase::Launch
            }
            Phase::Launch => self.launch(worker, driver)?,
            Phase::StampProcess(process) => {
                let fence = driver.fence();
                self.fenced(worker, &fence, |store, _| store.stamp_process(&fence, &process))?;
                Phase::Wait
            }
            Phase::Wait => self.wait(worker, driver)?,
            Phase::Collect(exit) => {
                let ended = self.collect(worker, driver, &exit)?;
                Phase::Settle(Box::new(ended))
            }
            Phase::Rebase => self.rebase(worker, driver)?,
            Phase::LookBeforePush(branch) => {
                if driver.lost || !self.owns(worker, driver)? {
                    return Err(Halt::Lost);
                }
                Phase::PushMain(branch)
            }
            Phase::PushMain(branch) => self.push_main(worker, driver, &branch)?,
            Phase::Settle(ended) => return self.settle(worker, driver, ended),
            Phase::RemoveWorktree => {
                if let Err(broken) = self.take_worktree_away(worker, &driver.task.key) {
                    self.say(format!("  the worktree stays: {}", broken.words()));
                }
                return Ok(false);
            }
        };
        Ok(true)
    }

    fn prepare(&mut self, worker: Worker, driver: &mut Driver) -> Result<(), Halt> {
        let runs = self.read(Place::At(worker), |store| store.runs(driver.task.id))?;
        let earlier: BTreeSet<RunId> =
            runs.into_iter().map(|run| run.run_id).filter(|run| run != driver.run()).collect();
        if let Some(node) = self.node_mut(worker) {
            node.machine.sweep(&earlier);
        }
        let writes_code = writes_code(driver);
        let task = driver.task.clone();
        let own_copy = self.plant() == Some(Plant::StaleMirror) && !writes_code;
        let base = self.git(worker, |world| {
            if own_copy
                && let Some(node) = world.node_mut(worker)
                && let Some(branch) = node.machine.branches.get(&task.key)
            {
                node.machine.worktrees.insert(task.key.clone());
                return Ok(branch.head());
            }
            let Some(remote) = world.remotes.get(&task.repo) else {
                return Err(Broken::Other("no remote".to_owned()));
            };
            let pushed = remote.branches.get(&task.key).cloned();
            let seen = pushed.as_ref().map(Branch::head);
            let mut branch = pushed.unwrap_or_else(|| Branch::at(remote.tip()));
            if writes_code && branch.start_over {
                remote.start_over(&mut branch);
            }
            let head = branch.head();
            let Some(node) = world.node_mut(worker) else { return Ok(head) };
            node.machine.seen.insert(task.key.clone(), seen);
            node.machine.branches.insert(task.key.clone(), branch);
            node.machine.worktrees.insert(task.key.clone());
            Ok(head)
        })?;
        driver.base = Some(base);
        Ok(())
    }

    fn launch(&mut self, worker: Worker, driver: &Driver) -> Result<Phase, Halt> {
        let (run, key) = (driver.run().clone(), driver.key().clone());
        let launched = self.spawn(worker, |world| {
            let node = world.node_mut(worker)?;
            let tree = node.machine.branches.get(&key).map_or(0, Branch::tree);
            node.machine.make_run(&run, &key, tree);
            node.machine.launch(&run)
        });
        match launched {
            Ok(Some(process)) => Ok(Phase::StampProcess(process)),
            Err(Broken::Crashed) => Err(Halt::Crashed),
            Ok(None) | Err(_) => {
                // A launch that failed may have started the run all the same.
                let revoked =
                    self.node_mut(worker).is_none_or(|node| node.machine.revoke(&run, &key));
                if revoked {
                    return Err(Halt::moment("the run's supervisor could not be started"));
                }
                Ok(Phase::Wait)
            }
        }
    }

    fn wait(&mut self, worker: Worker, driver: &Driver) -> Result<Phase, Halt> {
        let Some(node) = self.node(worker) else { return Err(Halt::Lost) };
        match node.machine.observe(driver.run()) {
            Observation::Exited(exit) => Ok(Phase::Collect(exit)),
            Observation::Lost { reason } => Err(Halt::Infra(Outcome::Lost { reason }, Fact::Infra)),
            Observation::Revoked => Err(Halt::moment("the run was given up before it started")),
            Observation::NotStarted | Observation::Starting | Observation::Running(_) => {
                if driver.lost { Err(Halt::Lost) } else { Ok(Phase::Wait) }
            }
        }
    }

    /// Whether the run still owns its job.
    fn owns(&mut self, worker: Worker, driver: &Driver) -> Result<bool, Halt> {
        let job = self.read(Place::At(worker), |store| store.job(driver.job.id))?;
        Ok(matches!(&job.state, orch_core::job::JobState::Running(owner)
            if owner.run_id == driver.owner.run_id && owner.run_epoch == driver.owner.run_epoch))
    }

    /// The run lost its job: its processes are ended and nothing of it is kept.
    pub fn discard(&mut self, worker: Worker, driver: &Driver) {
        self.counts.fenced += 1;
        self.say(format!("  {worker} discards its run of {}: fenced off", driver.key()));
        let now = self.clock(Place::At(worker));
        if let Some(node) = self.node_mut(worker) {
            node.machine.end_run(driver.run(), now);
        }
        let task = self.read(Place::At(worker), |store| store.task(driver.key()));
        if task.is_ok_and(|task| !task.state.is_open()) {
            drop(self.take_worktree_away(worker, driver.key()));
        }
    }
}

fn outcome_words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::TransientInfra { reason }
        | Outcome::PermanentEnv { reason }
        | Outcome::Unproven { reason }
        | Outcome::Lost { reason } => reason.clone(),
        other => other.kind().to_owned(),
    }
}

/// Whether the run's stage may change any file.
pub fn writes_code(driver: &Driver) -> bool {
    driver.task.pipeline.stage(&driver.job.stage).is_some_and(|stage| stage.writes_code)
}
