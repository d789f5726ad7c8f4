//! How a seed chooses: mostly work, some faults, now and then an operator; faults are mended
//! sooner or later, so that there is always something to do.

use orch_core::ids::{RepoName, TaskKey};
use orch_core::job::{HoldKind, JobState};

use crate::directive::{Directive, End, Fault, Place, Span, Worker};
use crate::judge::Judge;
use crate::world::node::Phase;
use crate::world::{Setup, World};

/// Chooses what happens next.
pub struct Chooser {
    rng: fastrand::Rng,
    setup: Setup,
    /// Of a thousand steps so many are faults; a world of its own temper per seed.
    fault_rate: u32,
    /// The most tasks that are open at once: with few of them each comes far.
    most_open: usize,
    /// Of a hundred ends of work so many are as they should be.
    pass_rate: u32,
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
            // Without a draw, so that the other choices of a seed are what they were.
            breaker: u32::from(seed.is_multiple_of(4)),
        };
        let fault_rate = [10, 30, 60, 120][rng.usize(0..4)];
        let most_open = rng.usize(1..=5);
        let pass_rate = [70, 85, 95][rng.usize(0..3)];
        Self { rng, setup, fault_rate, most_open, pass_rate }
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
            let nothing = judge.state().tasks.iter().all(|task| !task.state.is_open());
            if nothing
                && self.rng.u32(0..4) == 0
                && let Some(repo) = self.repo(world)
            {
                return Directive::Submit { repo, priority: 0 };
            }
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
        let busy: Vec<Worker> = (1..=self.setup.workers)
            .map(Worker)
            .filter(|worker| world.node(*worker).is_some_and(|n| n.acts() && !n.drivers.is_empty()))
            .collect();
        let worker = match self.one(&busy) {
            Some(busy) if self.rng.u32(0..10) < 8 => busy,
            // Nobody has anything to do: most of the time only time brings something.
            None if self.rng.u32(0..10) < 4 => return Some(self.advance()),
            _ => self.worker(),
        };
        let node = world.node(worker)?;
        if !node.acts() {
            return self.rng.bool().then(|| self.advance());
        }
        match self.rng.u32(0..100) {
            0..8 => Some(Directive::Beat(worker)),
            8..12 => Some(Directive::Reap(worker)),
            12..14 => Some(Directive::Reconcile(worker)),
            14..20 => Some(self.advance()),
            20..22 => {
                // Also where nobody drives it any more.
                let living = node.machine.living();
                let run = self.one(&living)?;
                let key = node.machine.runs.get(&run)?.key.clone();
                Some(Directive::Exit(worker, key, self.end()))
            }
            _ => self.drive(world, worker),
        }
    }

    /// Something useful for one of the worker's runs, or a new one.
    fn drive(&mut self, world: &World, worker: Worker) -> Option<Directive> {
        let node = world.node(worker)?;
        let room = node.drivers.len() < self.setup.capacity as usize;
        if node.drivers.is_empty() || (room && self.rng.u32(0..4) == 0) {
            return Some(Directive::Claim(worker));
        }
        let driver = &node.drivers[self.rng.usize(0..node.drivers.len())];
        let key = driver.key().clone();
        let works = matches!(driver.phase, Phase::Wait) && node.machine.worked(&key).is_some();
        // The act that can't be taken back is rare, and the most worth a fault.
        let weight = if matches!(driver.phase, Phase::PushMain(_)) { 8 } else { 1 };
        if let Some(effect) = driver.phase.effect()
            && node.faults.is_empty()
            && self.rng.u32(0..1_000) < self.fault_rate * weight
        {
            let fitting: Vec<Fault> =
                Fault::ALL.iter().copied().filter(|fault| fault.effect() == effect).collect();
            return Some(Directive::Arm(Place::At(worker), self.one(&fitting)?));
        }
        Some(if works {
            Directive::Exit(worker, key, self.end())
        } else {
            Directive::Step(worker, key)
        })
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
        if self.rng.u32(0..100) < self.pass_rate {
            return End::Pass;
        }
        match self.rng.u32(0..100) {
            0..30 => End::Fail,
            30..45 => End::Refused,
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
        if open.is_empty() || (open.len() < self.most_open && self.rng.u32(0..3) == 0) {
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
            0..15 => Directive::Pause(key),
            15..55 => Directive::Resume(key),
            55..62 => Directive::Cancel(key),
            62..70 => Directive::Retry(key),
            70..75 => Directive::Answer(key),
            75..78 => Directive::Approve(key),
            78..86 => Directive::Freeze(self.repo(world)?),
            _ => Directive::Unfreeze(self.repo(world)?),
        })
    }
}
