//! Which fault comes when: made from the seed alone.

use std::collections::VecDeque;
use std::time::Duration;

use fastrand::Rng;
use serde::Serialize;

use super::processes::Kind;

/// What is done to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// `kill -9` of a process of this kind; of the service, another is started.
    Kill(Kind),
    /// SIGSTOP of a process of this kind, SIGCONT some time later.
    Stop(Kind),
    /// Everything dies with its pid namespace; another service starts in a fresh one, where the
    /// pids that it remembers belong to others.
    Restart,
    /// The disk under the state directory is full for some time.
    FullDisk,
    /// Somebody else holds the database's write lock for some time.
    LockedDatabase,
    /// An exit that was written while no service ran is found damaged.
    CorruptExit,
    /// A worktree goes away under whoever works in it.
    DeletedWorktree,
    /// The log of a run loses its second half while it is written.
    TruncatedLog,
}

impl Fault {
    /// The name in figures.
    pub fn name(self) -> String {
        match self {
            Self::Kill(kind) => format!("kill -9 {}", kind.word()),
            Self::Stop(kind) => format!("SIGSTOP {}", kind.word()),
            Self::Restart => "fresh pid namespace".to_owned(),
            Self::FullDisk => "full disk".to_owned(),
            Self::LockedDatabase => "database is locked".to_owned(),
            Self::CorruptExit => "corrupt exit.json".to_owned(),
            Self::DeletedWorktree => "deleted worktree".to_owned(),
            Self::TruncatedLog => "truncated log".to_owned(),
        }
    }
}

/// Where the service runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum World {
    /// Beside this program: supervisors outlive the service.
    Host,
    /// In a pid namespace of its own, as in a container: everything dies with the service.
    Fresh,
}

/// One fault of the programme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub fault: Fault,
    /// Where the service has to run for it.
    pub world: World,
    /// How long to wait before.
    pub pause: Duration,
    /// How long a fault that lasts is to last.
    pub lasts: Duration,
}

/// How much of what.
#[derive(Debug, Clone, Copy)]
pub struct Amounts {
    /// Kills of single processes.
    pub kills: u32,
    /// Restarts in fresh pid namespaces.
    pub restarts: u32,
    /// Of every other fault.
    pub others: u32,
    /// Whether the disk can be filled.
    pub small_disk: bool,
}

/// The longest pause between two faults.
const PAUSE_MS: u64 = 600;
/// Who is killed, by turns. Supervisors and agents are killed in either world; a service beside this
/// program, because in a fresh namespace its death is everybody's: [`Fault::Restart`].
const KILLED: [Kind; 10] = [
    Kind::Service,
    Kind::Supervisor,
    Kind::Agent,
    Kind::Service,
    Kind::Supervisor,
    Kind::Agent,
    Kind::Service,
    Kind::Supervisor,
    Kind::Agent,
    Kind::Service,
];
/// Steps in one world before the other's turn.
const STRETCH: std::ops::Range<usize> = 8..24;

/// The programme: all faults mixed, in stretches of either world.
pub fn plan(rng: &mut Rng, amounts: Amounts) -> VecDeque<Step> {
    let Amounts { kills, restarts, others, small_disk } = amounts;
    let mut host = Vec::new();
    let mut fresh = vec![Fault::Restart; restarts as usize];
    for number in 0..kills {
        match KILLED[number as usize % KILLED.len()] {
            Kind::Service => host.push(Fault::Kill(Kind::Service)),
            kind => anywhere(&mut host, &mut fresh, rng, restarts, Fault::Kill(kind)),
        }
    }
    for _ in 0..others {
        let stops = [Kind::Service, Kind::Supervisor, Kind::Agent].map(Fault::Stop);
        let files = [Fault::LockedDatabase, Fault::DeletedWorktree, Fault::TruncatedLog];
        for fault in stops.into_iter().chain(files) {
            anywhere(&mut host, &mut fresh, rng, restarts, fault);
        }
        host.push(Fault::CorruptExit);
        if small_disk {
            anywhere(&mut host, &mut fresh, rng, restarts, Fault::FullDisk);
        }
    }
    rng.shuffle(&mut host);
    rng.shuffle(&mut fresh);
    stretches(rng, host, fresh)
}

/// Puts a fault that both worlds know into one of them.
fn anywhere(
    host: &mut Vec<Fault>,
    fresh: &mut Vec<Fault>,
    rng: &mut Rng,
    restarts: u32,
    fault: Fault,
) {
    if restarts > 0 && rng.bool() { fresh.push(fault) } else { host.push(fault) }
}

fn stretches(rng: &mut Rng, host: Vec<Fault>, fresh: Vec<Fault>) -> VecDeque<Step> {
    let (mut host, mut fresh) = (VecDeque::from(host), VecDeque::from(fresh));
    let mut steps = VecDeque::with_capacity(host.len() + fresh.len());
    let mut world = World::Host;
    while !host.is_empty() || !fresh.is_empty() {
        let from = if world == World::Host { &mut host } else { &mut fresh };
        let length = rng.usize(STRETCH).min(from.len());
        for fault in from.drain(..length) {
            let pause = Duration::from_millis(rng.u64(0..PAUSE_MS));
            steps.push_back(Step { fault, world, pause, lasts: lasts(rng, fault) });
        }
        world = if world == World::Host { World::Fresh } else { World::Host };
    }
    steps
}

/// A locked database lasts up to beyond the time that the service waits for it; other faults a
/// moment or two.
fn lasts(rng: &mut Rng, fault: Fault) -> Duration {
    let longest = if fault == Fault::LockedDatabase { 7_000 } else { 2_500 };
    Duration::from_millis(rng.u64(100..longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AMOUNTS: Amounts = Amounts { kills: 50, restarts: 20, others: 3, small_disk: true };

    #[test]
    fn a_seed_is_a_programme() {
        let made = |seed| plan(&mut Rng::with_seed(seed), AMOUNTS);
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
    }

    #[test]
    fn everything_asked_for_is_in_it_and_each_where_it_can_be_done() {
        let steps = plan(&mut Rng::with_seed(7), AMOUNTS);
        let count =
            |wanted: &dyn Fn(Fault) -> bool| steps.iter().filter(|step| wanted(step.fault)).count();
        assert_eq!(count(&|fault| matches!(fault, Fault::Kill(_))), 50);
        assert_eq!(count(&|fault| fault == Fault::Kill(Kind::Service)), 20);
        assert_eq!(count(&|fault| fault == Fault::Restart), 20);
        assert_eq!(count(&|fault| fault == Fault::FullDisk), 3);
        assert_eq!(steps.len(), 50 + 20 + 3 * 8);
        for step in &steps {
            match step.fault {
                Fault::Restart => assert_eq!(step.world, World::Fresh),
                Fault::Kill(Kind::Service) | Fault::CorruptExit => {
                    assert_eq!(step.world, World::Host);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn without_namespaces_everything_else_is_done_here() {
        let amounts = Amounts { restarts: 0, small_disk: false, ..AMOUNTS };
        let steps = plan(&mut Rng::with_seed(7), amounts);
        assert_eq!(steps.len(), 50 + 3 * 7);
        assert!(steps.iter().all(|step| step.world == World::Host));
    }
}
