//! Directives that are made of many steps, or of none.

use std::collections::BTreeMap;

use orch_core::ids::TaskKey;
use orch_core::job::JobState;
use orch_core::task::Task;
use orch_core::why::{Standing, WorkersView, why};

use super::{Session, Stop};
use crate::directive::{Directive, End, Expect, Place, Worker};
use crate::judge::Violation;
use crate::world::node::Phase;

/// More steps than any run takes from its claim to its end.
const MOST_STEPS: u32 = 40;

impl Session {
    /// Claims where the worker drives no run of the task, and drives it to its decision.
    pub(super) fn run_through(
        &mut self,
        worker: Worker,
        key: &TaskKey,
        end: End,
    ) -> Result<(), Stop> {
        if !self.drives(worker, key) {
            self.step(&Directive::Claim(worker))?;
        }
        for _ in 0..MOST_STEPS {
            let Some(node) = self.world.node(worker) else { return Ok(()) };
            let Some(driver) = node.drivers.iter().find(|driver| driver.key() == key) else {
                return Ok(());
            };
            let works = matches!(driver.phase, Phase::Wait) && node.machine.worked(key).is_some();
            let next = if works {
                Directive::Exit(worker, key.clone(), end)
            } else {
                Directive::Step(worker, key.clone())
            };
            self.step(&next)?;
        }
        Ok(())
    }

    fn drives(&self, worker: Worker, key: &TaskKey) -> bool {
        self.world.node(worker).is_some_and(|node| node.drivers.iter().any(|d| d.key() == key))
    }

    /// Writes down where every task and worker stands.
    pub(super) fn show(&mut self) {
        let mut lines = Vec::new();
        for task in &self.judge.state().tasks {
            let job = self.judge.state().jobs.iter().rev().find(|job| job.task_id == task.id);
            let job = job.map(|job| {
                let state = match &job.state {
                    JobState::Running(owner) => {
                        format!("running on {} epoch {}", owner.worker_id, owner.run_epoch)
                    }
                    JobState::Held { hold, .. } => format!("held: {}", hold.reason),
                    JobState::Queued { reason: Some(reason), .. } => format!("queued: {reason}"),
                    other => other.status().to_owned(),
                };
                format!("{} {state}", job.agent)
            });
            let place = match (&task.paused, task.gate_slot) {
                (Some(_), _) => "paused".to_owned(),
                (None, Some(slot)) => format!("slot {slot}"),
                (None, None) => "outside".to_owned(),
            };
            lines.push(format!(
                "  {} {} at {}, {place}; {}",
                task.key,
                task.state.status(),
                task.progress.stage,
                job.unwrap_or_default()
            ));
        }
        for (place, node) in self.world.nodes.iter().enumerate() {
            let words =
                [(!node.up, "down"), (node.suspended, "asleep"), (node.partitioned, "cut off")];
            let state: Vec<_> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
            lines.push(format!(
                "  w{} {}; drives {}, {} alive, {} worktrees",
                place + 1,
                if state.is_empty() { "up".to_owned() } else { state.join(", ") },
                node.drivers.len(),
                node.machine.living().len(),
                node.machine.worktrees.len()
            ));
        }
        for line in lines {
            self.write(line);
        }
    }

    /// Writes down why a task stands where it stands.
    pub(super) fn say_why(&mut self, key: &TaskKey) {
        let state = self.judge.state();
        let Some(task) = state.tasks.iter().find(|task| &task.key == key) else {
            return self.write(format!("  there is no task {key}"));
        };
        let active: BTreeMap<_, _> = state
            .jobs
            .iter()
            .filter(|job| !matches!(job.state, JobState::Finished { .. }))
            .map(|job| (job.task_id, job))
            .collect();
        let gate = self.judge.gate_view(&self.world, task, &active);
        let workers = WorkersView {
            lacking: std::collections::BTreeSet::new(),
            shut: Vec::new(),
            alive: self.world.nodes.iter().filter(|node| node.acts()).count() as u32,
            capacity: self.world.setup.capacity * self.world.setup.workers as u32,
            running: state.jobs.iter().filter(|j| j.state.status() == "running").count() as u32,
        };
        let answer = why(&Standing {
            task,
            job: active.get(&task.id).copied(),
            gate: &gate,
            workers: &workers,
            paused: None,
            cause: None,
            last_verdict: None,
            now: self.world.clock(Place::Api),
        });
        let mut lines = vec![format!("  {}: {}", answer.state.word(), answer.headline)];
        lines.extend(answer.reasons.iter().map(|reason| format!("  - {reason}")));
        lines.push(format!("  next: {}", answer.next));
        for line in lines {
            self.write(line);
        }
    }

    /// Compares what is with what a script expects.
    pub(super) fn expect(&mut self, what: &Expect) -> Result<(), Violation> {
        let is = match what {
            Expect::Count(worker, name, _) => self.count(*worker, name),
            Expect::Is(key, _) | Expect::Has(key, _, _) => self
                .judge
                .state()
                .tasks
                .iter()
                .find(|task| &task.key == key)
                .map(|task| self.fact(task, what)),
        };
        let wanted = match what {
            Expect::Count(_, _, number) => number.to_string(),
            Expect::Has(_, _, value) => value.clone(),
            Expect::Is(_, word) => word.clone(),
        };
        match is {
            Some(is) if is.split(' ').any(|word| word == wanted) => Ok(()),
            Some(is) => Err(Violation::new("expectation", format!("{what}, and it is {is}"))),
            None => Err(Violation::new("expectation", format!("{what}, and it is not there"))),
        }
    }

    fn count(&self, worker: Worker, name: &str) -> Option<String> {
        let node = self.world.node(worker)?;
        let number = match name {
            "worktrees" => node.machine.worktrees.len(),
            "alive" => node.machine.living().len(),
            _ => node.drivers.len(),
        };
        Some(number.to_string())
    }

    fn fact(&self, task: &Task, what: &Expect) -> String {
        let job = self.judge.state().jobs.iter().rev().find(|job| job.task_id == task.id);
        let number = |of: Option<u64>| of.map_or_else(|| "none".to_owned(), |n| n.to_string());
        let Expect::Has(_, name, _) = what else {
            let mut words = vec![if task.gate_slot.is_some() { "inside" } else { "outside" }];
            if task.paused.is_some() {
                words.push("paused");
            }
            words.push(task.state.status());
            words.extend(job.filter(|_| task.state.is_open()).map(|job| job.state.status()));
            return words.join(" ");
        };
        match name.as_str() {
            "stage" => task.progress.stage.to_string(),
            "attempts" => task.progress.attempts.to_string(),
            "bounces" => task.progress.bounces.to_string(),
            "defers" => number(job.map(|job| job.defers.into())),
            "crashes" => number(job.map(|job| job.crashes.into())),
            "epoch" => number(job.map(|job| job.run_epoch)),
            _ => {
                let remote = self.world.remotes.get(&task.repo);
                let mine = |c: &&crate::world::git::Commit| c.by.as_ref() == Some(&task.key);
                number(remote.map(|remote| remote.main.iter().filter(mine).count() as u64))
            }
        }
    }
}
