//! The reaper's tick: the engine's own judgement, on what the simulated world shows.

use orch_core::decide::{Loss, Situation, run_lost};
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::RunId;
use orch_core::job::{Fence, Job, JobState, Ownership};
use orch_core::process::ProcessIdentity;
use orch_core::reap::{Finding, Observation, Sighting, judge};
use orch_core::stage::MERGE_GATE;
use orch_core::task::Task;

use super::drive::Halt;
use super::git::number;
use super::node::{Driver, Phase};
use super::settle::Ended;
use super::truth::Fact;
use super::{Broken, World};
use crate::directive::{Place, Worker};
use crate::plant::Plant;

impl World {
    /// One look at every running job that nobody here drives.
    pub fn reap(&mut self, worker: Worker) {
        let place = Place::At(worker);
        if self.plant() != Some(Plant::StalePid) {
            match self.write(place, orch_store::Store::sanitize) {
                Err(Broken::Crashed) => return,
                Ok(0) | Err(_) => {}
                Ok(cleaned) => self.say(format!("  sanitized {cleaned}")),
            }
        }
        let running = match self.read(place, |store| store.running(None)) {
            Ok(running) => running,
            Err(broken) => {
                return self.say(format!("  the reaper sees nothing: {}", broken.words()));
            }
        };
        for (job, task) in running {
            if let Err(broken) = self.look(worker, job, task) {
                self.say(format!("  the reaper failed: {}", broken.words()));
            }
            if !self.node(worker).is_some_and(super::Node::acts) {
                return;
            }
        }
    }

    fn look(&mut self, worker: Worker, job: Job, task: Task) -> Result<(), Broken> {
        let JobState::Running(owner) = job.state.clone() else { return Ok(()) };
        let place = Place::At(worker);
        let now = self.clock(place);
        let Some(node) = self.node(worker) else { return Ok(()) };
        if node.drives(&owner.run_id) {
            return Ok(());
        }
        let inside = job.agent.as_str() == MERGE_GATE;
        let me = node.id.clone();
        let mine = owner.worker_id == me;
        let seen = (mine && !inside).then(|| self.certain(worker, &owner.run_id, &job));
        let sighting = Sighting { inside, ..Sighting::of(&owner, &me, now) };
        match judge(&sighting.showing(seen.as_ref())) {
            Finding::Elsewhere | Finding::Wait => Ok(()),
            Finding::TakeUp => {
                let alive = match seen {
                    Some(Observation::Running(process)) => Some(process),
                    _ => None,
                };
                self.take_up(worker, job, task, owner, alive.as_ref())
            }
            Finding::Gone(loss) => self.take_back(worker, job, task, owner, &loss),
        }
    }

    /// What the run directory shows, made certain.
    fn certain(&mut self, worker: Worker, run: &RunId, job: &Job) -> Observation {
        let Some(node) = self.node_mut(worker) else { return Observation::NotStarted };
        match node.machine.observe(run) {
            Observation::NotStarted if node.machine.revoke(run, &job.key) => Observation::Revoked,
            Observation::NotStarted => node.machine.observe(run),
            seen => seen,
        }
    }

    fn take_up(
        &mut self,
        worker: Worker,
        job: Job,
        task: Task,
        owner: Ownership,
        alive: Option<&ProcessIdentity>,
    ) -> Result<(), Broken> {
        let place = Place::At(worker);
        let run = self.read(place, |store| store.run(&owner.run_id))?;
        if owner.process.is_none()
            && let Some(process) = alive
        {
            let fence = fence(&job, &owner);
            self.fenced(worker, &fence, |store, _| store.stamp_process(&fence, process))?;
        }
        let event = NewEvent {
            kind: EventKind::RunAdopted,
            task: Some(task.key.clone()),
            repo: Some(task.repo.clone()),
            run_id: Some(owner.run_id.clone()),
            message: format!("{} at {} goes on under a restarted service", job.agent, job.stage),
            data: serde_json::json!({ "stage": job.stage, "agent": job.agent }),
        };
        self.write(place, |store, now| store.record_events(now, std::slice::from_ref(&event)))?;
        self.counts.adopted += 1;
        let base = run.base_commit.as_ref().and_then(|base| number(base.as_str()));
        let mut driver = Driver { job, task, owner, base, lost: false, phase: Phase::Wait };
        if driver.base.is_none()
            && let Halt::Infra(outcome, fact) =
                Halt::moment("the run was launched without a recorded base")
        {
            driver.phase = Phase::Settle(Box::new(Ended::halted(&driver, outcome, fact)));
        }
        if let Some(node) = self.node_mut(worker) {
            node.drivers.push(driver);
        }
        Ok(())
    }

    fn take_back(
        &mut self,
        worker: Worker,
        job: Job,
        task: Task,
        owner: Ownership,
        loss: &Loss,
    ) -> Result<(), Broken> {
        let now = self.clock(Place::At(worker));
        if let Some(node) = self.node_mut(worker) {
            node.machine.end_run(&owner.run_id, now);
        }
        let policy = self.setup.policy();
        let decision = run_lost(Situation { task: &task, job: &job, now }, loss, &policy);
        let driver = Driver { job, task, owner, base: None, lost: false, phase: Phase::Wait };
        let answer = self.apply_run(worker, &driver, decision, None, Fact::Infra);
        match answer {
            Ok(()) => {
                self.counts.reaped += 1;
                Ok(())
            }
            Err(Broken::Store(orch_store::StoreError::Fenced { .. })) => Ok(()),
            Err(broken) => Err(broken),
        }
    }
}

fn fence(job: &Job, owner: &Ownership) -> Fence {
    Fence { job_id: job.id, run_id: owner.run_id.clone(), run_epoch: owner.run_epoch }
}
