//! The programme: one fault after the other against a service that works, then peace until all
//! work is done.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Scope;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::bed::Bed;
use super::faults::{database, disk, files, signals};
use super::operator::{self, Operator};
use super::peace;
use super::plan::{self, Amounts, Fault, Step, World};
use super::processes::Kind;
use super::service::{self, Service, Starts};
use crate::interrupt::Interrupt;

/// What is to be done.
pub struct Orders {
    /// Where all chance comes from.
    pub seed: u64,
    /// How much of what.
    pub amounts: Amounts,
    /// Tasks at least.
    pub tasks: usize,
    /// Runs at once.
    pub concurrency: u32,
    /// When the faults end, whatever is left of them; `None` is never before.
    pub faults_end: Option<Duration>,
}

/// What was done and seen.
#[derive(Debug, Default)]
pub struct Told {
    /// Faults that struck, by their names.
    pub faults: BTreeMap<String, u32>,
    /// Faults that found nothing to strike in several tries.
    pub missed: BTreeMap<String, u32>,
    /// The services' starts.
    pub starts: Starts,
    /// Changes between the worlds, each with the death of everything.
    pub world_changes: u32,
    /// Services that ended by themselves while the disk was full or the database locked.
    pub ended_disturbed: u32,
    /// What was wrong before the judge came.
    pub failures: Vec<String>,
    /// The operator's notes.
    pub operator: operator::State,
    /// How long the faults took.
    pub faults_took: Duration,
    /// Tasks that were stuck at the end, each with what is said of it.
    pub wedged: Vec<String>,
}

/// How often a fault looks for something to strike, and how long each time.
const TRIES: u32 = 3;
const LOOK: Duration = Duration::from_secs(3);
/// Without a single event for so long, what is not done is stuck. Longer than a lease, the longest
/// backoff of the bed and a reconciler's round together.
const STUCK: Duration = Duration::from_mins(2);

/// Carries the programme out; whatever the end, all its threads are gone.
pub fn carry_out(bed: &Bed, orders: &Orders, interrupt: &Interrupt) -> anyhow::Result<Told> {
    let operator = Operator::default();
    let stop = AtomicBool::new(false);
    let mut told = std::thread::scope(|scope| {
        let client = service::client(bed);
        let repositories = bed.repositories.len();
        scope.spawn({
            let operator = &operator;
            move || operator.work(&client, orders.tasks, repositories)
        });
        let _end = End { stop: &stop, operator: &operator };
        let (rng, told) = (Rng::with_seed(orders.seed), Told::default());
        let mut tormentor =
            Tormentor { bed, orders, interrupt, scope, stop: &stop, rng, told, service: None };
        tormentor.start(World::Host)?;
        tormentor.strike_all(&operator)?;
        operator.faults_are_over.store(true, Ordering::Release);
        tormentor.until_done(&operator)?;
        tormentor.until_tidy()?;
        drop(tormentor.service.take());
        anyhow::Ok(tormentor.told)
    })?;
    told.operator = operator.state().clone();
    // Paths of the bed say nothing to whoever reads the figures.
    let root = format!("{}/", bed.root.display());
    told.operator.retried =
        told.operator.retried.into_iter().map(|(why, n)| (why.replace(&root, ""), n)).collect();
    Ok(told)
}

/// Ends what runs beside, however the programme ends.
struct End<'a> {
    stop: &'a AtomicBool,
    operator: &'a Operator,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.operator.stop.store(true, Ordering::Release);
    }
}

struct Tormentor<'scope, 'env, 'a> {
    bed: &'env Bed,
    orders: &'a Orders,
    interrupt: &'a Interrupt,
    scope: &'scope Scope<'scope, 'env>,
    stop: &'env AtomicBool,
    rng: Rng,
    told: Told,
    service: Option<Service>,
}

impl<'scope, 'env> Tormentor<'scope, 'env, '_> {
    fn start(&mut self, world: World) -> anyhow::Result<()> {
        let concurrency = if self.rng.u8(0..4) == 0 { 1 } else { self.orders.concurrency };
        let started =
            Service::start(self.bed, world, self.interrupt, &mut self.told.starts, concurrency)?;
        self.service = Some(started);
        Ok(())
    }

    fn kill_service(&mut self) {
        if let Some(service) = self.service.take() {
            service.kill();
        }
    }

    fn strike_all(&mut self, operator: &Operator) -> anyhow::Result<()> {
        let begun = Instant::now();
        let mut steps: std::collections::VecDeque<(Step, u32)> =
            plan::plan(&mut self.rng, self.orders.amounts).into_iter().map(|s| (s, 0)).collect();
        let all = steps.len();
        let mut said = Instant::now();
        while let Some((step, tries)) = steps.pop_front() {
            if self.orders.faults_end.is_some_and(|end| begun.elapsed() >= end)
                || !operator.state().wrongly_held.is_empty()
            {
                break;
            }
            if said.elapsed() > Duration::from_secs(20) {
                said = Instant::now();
                eprintln!(
                    "{} of {all} faults, {} tasks done",
                    all - steps.len(),
                    operator.state().done
                );
            }
            self.pause(step.pause)?;
            self.look_after_service()?;
            self.change_world(step.world)?;
            if self.strike(&step)? {
                *self.told.faults.entry(step.fault.name()).or_default() += 1;
            } else if tries + 1 < TRIES {
                steps.push_back((step, tries + 1));
            } else {
                *self.told.missed.entry(step.fault.name()).or_default() += 1;
            }
        }
        self.told.faults_took = begun.elapsed();
        Ok(())
    }

    fn pause(&self, pause: Duration) -> anyhow::Result<()> {
        self.bed.check()?;
        let until = Instant::now() + pause;
        while Instant::now() < until {
            self.interrupt.check()?;
            std::thread::sleep(Duration::from_millis(5).min(pause));
        }
        Ok(())
    }

    /// A service that ended by itself is started again, as a service manager would; without a
    /// fault that excuses it, it is a failure.
    fn look_after_service(&mut self) -> anyhow::Result<()> {
        let Some(service) = &mut self.service else { return self.start(World::Host) };
        let world = service.world;
        if !service.has_ended() {
            return Ok(());
        }
        if self.bed.was_disturbed() {
            self.told.ended_disturbed += 1;
        } else {
            let words = self.bed.last_words(5);
            self.told.failures.push(format!("the service ended by itself:\n{words}"));
        }
        self.service = None;
        self.start(world)
    }

    /// The other world begins with the death of everything in this one.
    fn change_world(&mut self, world: World) -> anyhow::Result<()> {
        if self.service.as_ref().is_some_and(|service| service.world == world) {
            return Ok(());
        }
        self.kill_service();
        self.bed.kill_everything();
        self.told.world_changes += 1;
        self.start(world)
    }

    /// Does one thing; false where there was nothing to do it to.
    fn strike(&mut self, step: &Step) -> anyhow::Result<bool> {
        let (bed, lasts) = (self.bed, step.lasts);
        match step.fault {
            Fault::Kill(Kind::Service) => {
                self.kill_service();
                self.start(World::Host)?;
                Ok(true)
            }
            Fault::Restart => {
                self.kill_service();
                self.start(World::Fresh)?;
                Ok(true)
            }
            Fault::CorruptExit => {
                self.kill_service();
                let found = files::corrupt_exit(bed, &mut self.rng);
                self.start(World::Host)?;
                Ok(found)
            }
            Fault::Kill(kind) => self.when_there(|bed, rng| signals::kill(bed, rng, kind)),
            Fault::DeletedWorktree => self.when_there(files::delete_worktree),
            Fault::TruncatedLog => self.when_there(files::truncate_log),
            Fault::Stop(kind) => {
                let mut chosen = None;
                self.when_there(|bed, rng| {
                    chosen = signals::choose(bed, rng, kind)
                        .filter(|process| process.signal(rustix::process::Signal::STOP));
                    chosen.is_some()
                })?;
                let Some(process) = chosen else { return Ok(false) };
                self.beside(move |_, stop| signals::lie(&process, lasts, stop));
                Ok(true)
            }
            Fault::FullDisk => {
                self.beside(move |bed, stop| {
                    let _disturbance = bed.disturb();
                    report(disk::fill(bed, lasts, stop));
                });
                Ok(true)
            }
            Fault::LockedDatabase => {
                self.beside(move |bed, stop| {
                    let _disturbance = bed.disturb();
                    report(database::lock(bed, lasts, stop));
                });
                Ok(true)
            }
        }
    }

    /// Tries until it works, for a moment.
    fn when_there(&mut self, mut act: impl FnMut(&Bed, &mut Rng) -> bool) -> anyhow::Result<bool> {
        let until = Instant::now() + LOOK;
        while Instant::now() < until {
            self.interrupt.check()?;
            if act(self.bed, &mut self.rng) {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }

    /// A fault that lasts goes on beside the others.
    fn beside(&self, act: impl FnOnce(&'env Bed, &dyn Fn() -> bool) + Send + 'scope) {
        let (bed, stop) = (self.bed, self.stop);
        self.scope.spawn(move || act(bed, &|| stop.load(Ordering::Acquire)));
    }

    /// Peace until every task is done, or nothing moves any more.
    fn until_done(&mut self, operator: &Operator) -> anyhow::Result<()> {
        let mut last_event = 0;
        let mut moved = Instant::now();
        while !operator.is_content(self.orders.tasks) {
            self.pause(Duration::from_millis(200))?;
            self.look_after_service()?;
            let newest = peace::newest_event(self.bed).unwrap_or(last_event);
            if newest != last_event {
                (last_event, moved) = (newest, Instant::now());
            }
            if !operator.state().wrongly_held.is_empty() {
                return Ok(());
            }
            if moved.elapsed() > STUCK {
                self.told.wedged = peace::open_tasks(self.bed);
                return Ok(());
            }
        }
        Ok(())
    }

    /// The service takes away what is over in a moment or two, or with its reconciler's next round.
    fn until_tidy(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + Duration::from_mins(1);
        while Instant::now() < until && !peace::is_tidy(self.bed) {
            self.pause(Duration::from_millis(200))?;
            self.look_after_service()?;
        }
        Ok(())
    }
}

/// A fault that could not be done in full is told, not passed over.
fn report(done: Result<(), impl std::fmt::Display>) {
    if let Err(error) = done {
        eprintln!("a fault was cut short: {error}");
    }
}
