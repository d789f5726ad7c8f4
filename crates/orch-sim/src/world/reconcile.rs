//! The reconciler's tick on the simulated world.

use std::collections::BTreeSet;

use orch_core::decide::first_job;
use orch_core::ids::{RunId, TaskKey};
use orch_core::job::JobState;
use orch_core::reap::Observation;

use super::{Broken, World};
use crate::directive::{Place, Worker};
use crate::plant::Plant;

impl World {
    /// Compares the records with the world, and mends.
    pub fn reconcile(&mut self, worker: Worker) {
        match self.mend(worker) {
            Ok(true) => self.truth.reconciled.push(worker),
            Ok(false) => {}
            Err(broken) => self.say(format!("  the reconciler failed: {}", broken.words())),
        }
    }

    /// True where everything was looked at and nothing failed.
    fn mend(&mut self, worker: Worker) -> Result<bool, Broken> {
        let place = Place::At(worker);
        self.write(place, orch_store::Store::readmit)?;
        let rule = self.setup.rule();
        if rule.enabled {
            self.counts.pauses += self.write(place, |store, now| store.trip_all(now, &rule))?;
        }
        for task in self.read(place, orch_store::Store::tasks_without_a_job)? {
            let Some(stage) = task.pipeline.stage(&task.progress.stage) else { continue };
            let reason = Some("it was open without a job".to_owned());
            let job = first_job(stage, task.progress.merged.is_some(), self.clock(place), reason);
            self.write(place, |store, now| store.enqueue(now, &task.key, &job))?;
        }
        let whole = self.remove_orphans(worker)?;
        self.end_strays(worker)?;
        Ok(whole)
    }

    fn remove_orphans(&mut self, worker: Worker) -> Result<bool, Broken> {
        let Some(node) = self.node(worker) else { return Ok(false) };
        let there: Vec<TaskKey> = node.machine.worktrees.iter().cloned().collect();
        let mut whole = true;
        for key in there {
            let task = self.read(Place::At(worker), |store| store.task(&key))?;
            if task.state.is_open() {
                continue;
            }
            match self.take_worktree_away(worker, &key) {
                Ok(()) => self.say(format!("  the worktree of {key}, which is over, is removed")),
                Err(Broken::Crashed) => return Err(Broken::Crashed),
                Err(_) => whole = false,
            }
        }
        Ok(whole)
    }

    /// Removes a worktree; the planted bug forgets to.
    pub fn take_worktree_away(&mut self, worker: Worker, key: &TaskKey) -> Result<(), Broken> {
        if self.plant() == Some(Plant::OrphanWorktree) {
            return Ok(());
        }
        self.remove_worktree(worker, key)
    }

    fn end_strays(&mut self, worker: Worker) -> Result<(), Broken> {
        let running = self.read(Place::At(worker), |store| store.running(None))?;
        let owners: BTreeSet<RunId> = running
            .into_iter()
            .filter_map(|(job, _)| match job.state {
                JobState::Running(owner) => Some(owner.run_id),
                _ => None,
            })
            .collect();
        let now = self.clock(Place::At(worker));
        let Some(node) = self.node_mut(worker) else { return Ok(()) };
        let strays: Vec<RunId> = node
            .machine
            .runs
            .keys()
            .filter(|run| !owners.contains(*run) && !node.drivers.iter().any(|d| d.run() == *run))
            .filter(|run| {
                let seen = node.machine.observe(run);
                matches!(seen, Observation::Running(_) | Observation::Starting)
            })
            .cloned()
            .collect();
        for run in strays {
            node.machine.end_run(&run, now);
        }
        Ok(())
    }
}
