//! How a seed chooses: mostly work, some faults, now and then an operator; faults are mended
//! sooner or later, so that there is always something to do.

use orch_core::ids::{RepoName, TaskKey};
use orch_core::job::{HoldKind, JobState};

use crate::directive::{Directive, End, Fault, Place, Span, Worker};
use crate::judge::Judge;
use crate::world::{Setup, World};

/// The most tasks that are open at once; more only make each step slower.
const MOST_OPEN: usize = 5;

/// Chooses what happens next.
pub struct Chooser {
    rng: fastrand::Rng,
    setup: Setup,
    /// Of a thousand steps so many are faults; a world of its own temper per seed.
    fault_rate: u32,
}

impl Chooser {
    /// Chooses by this seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let setup = Setup {
            workers: rng.usize(1..=3),
            capacity: rng.u32(1..=2),
            width: rng.u32(1..=2),
            repos: rng.usize(1..=3),
            defers: rng.u32(1..=5),
            crashes: rng.u32(2..=10),
        };
        let fault_rate = [10, 30, 60, 120][rng.usize(0..4)];
        Self { rng, setup, fault_rate }
    }

    /// The layout of this seed's world.
    pub fn setup(&self) -> Setup {
        self.setup
    }

    fn one<T: Clone>(&mut self, all: &[T]) -> Option<T> {
        if all.is_empty() { None } else { all.get(self.rng.usize(0..all.len())).cloned() }
    }

    fn worker(&mut self) -> Worker {
        Worker(self.rng.usize(1..=self.setup.workers))
    }

    /// What happens next.
    pub fn choose(&mut self, world: &World, judge: &Judge) -> Directive {
        loop {
            let dice = self.rng.u32(0..1_000);
            let choice = if dice < self.fault_rate {
                self.fault(world)
            } else if dice < self.fault_rate + 40 {
                self.operator(world, judge)
            } else if dice < self.fault_rate + 110 {
                self.mend(world)
            } else {
                self.work(world)
            };
            if let Some(directive) = choice {
                return directive;
            }
        }
    }

    fn work(&mut self, world: &World) -> Option<Directive> {
        let worker = self.worker();
        let node = world.node(worker)?;
        if !node.acts() {
            return self.rng.bool().then(|| self.advance());
        }
        match self.rng.u32(0..100) {
            0..9 => Some(Directive::Claim(worker)),
            9..18 => Some(Directive::Beat(worker)),
            18..23 => Some(Directive::Reap(worker)),
            23..26 => Some(Directive::Reconcile(worker)),
            26..34 => Some(self.advance()),
            34..50 => {
                let working: Vec<TaskKey> = node
                    .machine
                    .living()
                    .iter()
                    .filter_map(|run| node.machine.runs.get(run).map(|dir| dir.key.clone()))
                    .collect();
                let key = self.one(&working)?;
                Some(Directive::Exit(worker, key, self.end()))
            }
            _ => {
                let driven: Vec<TaskKey> =
                    node.drivers.iter().map(|driver| driver.key().clone()).collect();
                Some(Directive::Step(worker, self.one(&driven)?))
            }
        }
    }

    fn advance(&mut self) -> Directive {
        let ms = match self.rng.u32(0..200) {
            0..150 => self.rng.i64(100..6_000),
            150..190 => 1_000 * self.rng.i64(6..60),
            190..198 => 60_000 * self.rng.i64(1..30),
            _ => 3_600_000 * self.rng.i64(1..9),
        };
        Directive::Advance(Span(ms))
    }

    fn end(&mut self) -> End {
        match self.rng.u32(0..100) {
            0..72 => End::Pass,
            72..80 => End::Fail,
            80..84 => End::Refused,
            _ => End::ALL[self.rng.usize(0..End::ALL.len())],
        }
    }

    fn fault(&mut self, world: &World) -> Option<Directive> {
        let worker = self.worker();
        let place = if self.rng.u32(0..6) == 0 { Place::Api } else { Place::At(worker) };
        Some(match self.rng.u32(0..100) {
            0..55 => Directive::Arm(place, Fault::ALL[self.rng.usize(0..Fault::ALL.len())]),
            55..67 => Directive::Crash(worker),
            67..70 => Directive::Reboot(worker),
            70..75 => Directive::Container(worker),
            75..82 => Directive::Partition(worker),
            82..85 => Directive::Suspend(worker),
            85..90 => {
                let ms = [-3_600_000, -60_000, 60_000, 3_600_000][self.rng.usize(0..4)];
                Directive::Skew(worker, Span(ms))
            }
            90..94 => {
                let node = world.node(worker)?;
                let driven: Vec<TaskKey> =
                    node.drivers.iter().map(|driver| driver.key().clone()).collect();
                Directive::Kill(worker, self.one(&driven)?)
            }
            _ => Directive::Push { repo: self.repo(world)?, clash: self.rng.u32(0..4) == 0 },
        })
    }

    /// Whatever is broken is mended sooner or later.
    fn mend(&mut self, world: &World) -> Option<Directive> {
        let worker = self.worker();
        let node = world.node(worker)?;
        if node.suspended {
            return Some(if self.rng.bool() {
                Directive::Wake(worker)
            } else {
                Directive::Advance(Span(8 * 3_600_000))
            });
        }
        if !node.up {
            return Some(Directive::Start(worker));
        }
        if node.partitioned {
            return Some(Directive::Heal(worker));
        }
        (node.skew_ms != 0).then_some(Directive::Skew(worker, Span(-node.skew_ms)))
    }

    fn repo(&mut self, world: &World) -> Option<RepoName> {
        let repos: Vec<RepoName> = world.remotes.keys().cloned().collect();
        self.one(&repos)
    }

    fn operator(&mut self, world: &World, judge: &Judge) -> Option<Directive> {
        let open: Vec<&orch_core::task::Task> =
            judge.state().tasks.iter().filter(|task| task.state.is_open()).collect();
        if open.is_empty() || (open.len() < MOST_OPEN && self.rng.u32(0..3) == 0) {
            let priority = if self.rng.u32(0..5) == 0 { self.rng.i32(-1..3) } else { 0 };
            return Some(Directive::Submit { repo: self.repo(world)?, priority });
        }
        let task = self.one(&open)?;
        let key = task.key.clone();
        let held = judge.state().jobs.iter().find_map(|job| match &job.state {
            JobState::Held { hold, .. } if job.task_id == task.id => Some(hold.kind),
            _ => None,
        });
        if task.paused.is_some() && self.rng.bool() {
            return Some(Directive::Resume(key));
        }
        if let Some(kind) = held
            && self.rng.u32(0..3) > 0
        {
            return Some(match kind {
                HoldKind::Approval => Directive::Approve(key),
                _ if self.rng.u32(0..4) == 0 => Directive::Answer(key),
                _ => Directive::Retry(key),
            });
        }
        Some(match self.rng.u32(0..100) {
            0..30 => Directive::Pause(key),
            30..55 => Directive::Resume(key),
            55..62 => Directive::Cancel(key),
            62..70 => Directive::Retry(key),
            70..75 => Directive::Answer(key),
            75..78 => Directive::Approve(key),
            78..86 => Directive::Freeze(self.repo(world)?),
            _ => Directive::Unfreeze(self.repo(world)?),
        })
    }
}
