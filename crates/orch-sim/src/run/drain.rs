//! The world comes to rest: no more faults, everything healed, everybody set going. Every task
//! must reach its end within a bounded time; what does not is a wedge.

use orch_core::ids::TaskKey;
use orch_core::job::{HoldKind, JobState};

use super::{Session, Stop};
use crate::directive::{Directive, End, Place, Span, Worker};
use crate::judge::Violation;
use crate::world::node::Phase;

/// Rounds in which everything must have come to its end: each is a look by everybody and some
/// simulated seconds, and no task needs more than a few hundred.
const ROUNDS: u32 = 400;
/// Rounds without any event after which nothing comes any more: eight simulated hours, longer than
/// any wait that a fault can have left behind.
const QUIET: u32 = 160;
/// What only a world at rest can break.
pub const LAWS: [&str; 2] = ["nothing_is_wedged", "the_end_leaves_nothing_alive"];

impl Session {
    /// Ends all faults and drives every task to its end.
    pub(super) fn drain(&mut self) -> Result<(), Stop> {
        self.heal()?;
        let (mut heard, mut quiet) = (self.judge.last_event(), 0);
        for round in 0..ROUNDS {
            let last = self.judge.last_event();
            quiet = if last == heard { quiet + 1 } else { 0 };
            heard = last;
            if quiet >= QUIET {
                break;
            }
            if self.judge.state().tasks.iter().all(|task| !task.state.is_open()) {
                return self.last_look();
            }
            if round % 10 == 0 {
                self.set_going()?;
            }
            for number in 1..=self.world.setup.workers {
                self.round(Worker(number))?;
            }
            // Longer and longer, so that a task which was told to wait an hour is not watched
            // second by second.
            let wait = if round % 10 == 9 { 1_800_000 } else { 5_000 };
            self.step(&Directive::Advance(Span(wait)))?;
        }
        let left: Vec<String> = self
            .judge
            .state()
            .tasks
            .iter()
            .filter(|task| task.state.is_open())
            .map(|task| format!("{} at {}", task.key, task.progress.stage))
            .collect();
        let what = format!("without any fault these do not come to their end: {}", left.join(", "));
        Err(Stop::Broken(Violation::new("nothing_is_wedged", what)))
    }

    fn heal(&mut self) -> Result<(), Stop> {
        self.step(&Directive::Calm(Place::Api))?;
        for number in 1..=self.world.setup.workers {
            let worker = Worker(number);
            let skew = self.world.node(worker).map_or(0, |node| node.skew_ms);
            let mends = [
                Directive::Calm(Place::At(worker)),
                Directive::Skew(worker, Span(-skew)),
                Directive::Wake(worker),
                Directive::Heal(worker),
                Directive::Start(worker),
            ];
            mends.iter().try_for_each(|mend| self.step(mend))?;
        }
        let repos: Vec<_> = self.world.remotes.keys().cloned().collect();
        for repo in repos {
            self.step(&Directive::Unfreeze(repo))?;
        }
        Ok(())
    }

    /// Operators resume, approve and retry whatever waits for them.
    fn set_going(&mut self) -> Result<(), Stop> {
        let state = self.judge.state();
        let mut wishes = Vec::new();
        for task in state.tasks.iter().filter(|task| task.state.is_open()) {
            if task.paused.is_some() {
                wishes.push(Directive::Resume(task.key.clone()));
            }
            let held = state.jobs.iter().find_map(|job| match &job.state {
                JobState::Held { hold, .. } if job.task_id == task.id => Some(hold.kind),
                _ => None,
            });
            match held {
                Some(HoldKind::Approval) => wishes.push(Directive::Approve(task.key.clone())),
                Some(_) => wishes.push(Directive::Retry(task.key.clone())),
                None => {}
            }
        }
        wishes.iter().try_for_each(|wish| self.step(wish))
    }

    fn round(&mut self, worker: Worker) -> Result<(), Stop> {
        self.step(&Directive::Beat(worker))?;
        self.step(&Directive::Reap(worker))?;
        self.step(&Directive::Reconcile(worker))?;
        let Some(node) = self.world.node(worker) else { return Ok(()) };
        if node.drivers.len() < self.world.setup.capacity as usize {
            self.step(&Directive::Claim(worker))?;
        }
        for _ in 0..self.world.setup.capacity * 12 {
            let Some(next) = self.busy(worker) else { return Ok(()) };
            self.step(&next)?;
        }
        Ok(())
    }

    /// The next thing to do for one of the worker's runs; `None` where all only wait.
    fn busy(&self, worker: Worker) -> Option<Directive> {
        let node = self.world.node(worker)?;
        for driver in &node.drivers {
            let key: TaskKey = driver.key().clone();
            let waits = matches!(driver.phase, Phase::Wait) && !driver.lost;
            if !waits {
                return Some(Directive::Step(worker, key));
            }
            if node.machine.worked(&key).is_some() {
                return Some(Directive::Exit(worker, key, End::Pass));
            }
            if !node.machine.waits(driver.run()) {
                return Some(Directive::Step(worker, key));
            }
        }
        None
    }

    /// At rest, once more by everybody: nothing may be left behind.
    fn last_look(&mut self) -> Result<(), Stop> {
        for number in 1..=self.world.setup.workers {
            let worker = Worker(number);
            self.step(&Directive::Reap(worker))?;
            self.step(&Directive::Reconcile(worker))?;
            let Some(node) = self.world.node(worker) else { continue };
            let (alive, driven) = (node.machine.living().len(), node.drivers.len());
            if alive > 0 && driven == 0 {
                let what = format!("{alive} runs live on {worker} and every task is over");
                return Err(Stop::Broken(Violation::new("the_end_leaves_nothing_alive", what)));
            }
        }
        Ok(())
    }
}
