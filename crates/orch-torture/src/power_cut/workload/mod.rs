//! The load that is recorded: several threads do what a service does to a real store, and note in
//! a journal what the store acknowledged.

mod hand;
mod journal;
mod run;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};

use anyhow::Context as _;
use jiff::Timestamp;
use orch_core::serial_gate::GatePolicy;
use orch_store::{Store, StoreOptions};

use super::history::{DATABASE, JOURNAL};
use hand::Hand;
use journal::Journal;

/// The gate that the load and every later look at it keep: narrow, so that tasks wait.
pub(super) const OPTIONS: StoreOptions =
    StoreOptions { gate: GatePolicy { enabled: true, width: 2 } };

/// How often the store is opened and closed: a close folds the log into the database and removes
/// it.
const SESSIONS: usize = 2;

/// What the recorded process is told.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Load {
    /// The folder that gets the database's folder and the journal's.
    #[arg(long)]
    pub dir: PathBuf,
    /// Decides what is done; how the threads meet is up to the machine.
    #[arg(long)]
    pub seed: u64,
    /// Threads that use the store at once.
    #[arg(long)]
    pub threads: usize,
    /// Operations that each thread tries.
    #[arg(long)]
    pub steps: usize,
}

/// Where the database lies within the folder of a load.
pub(super) fn database(dir: &Path) -> PathBuf {
    dir.join("database").join(DATABASE)
}

/// A clock that only this load turns: a second with every look.
#[derive(Debug)]
struct Clock(AtomicI64);

impl Clock {
    fn now(&self) -> Timestamp {
        let second = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
    }
}

/// Does the work.
pub(super) fn run(load: &Load) -> anyhow::Result<()> {
    let file = database(&load.dir);
    let journals = load.dir.join("journal");
    for folder in file.parent().into_iter().chain([journals.as_path()]) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let journal = Journal::create(&journals.join(JOURNAL))?;
    let clock = Clock(AtomicI64::new(1_800_000_000));
    let mut hands: Vec<Hand> = (0..load.threads).map(|n| Hand::new(n, load.seed)).collect();
    for _ in 0..SESSIONS {
        let store = Store::open(&file, OPTIONS).context("the load's store does not open")?;
        let done: anyhow::Result<()> = std::thread::scope(|scope| {
            let (store, journal, clock) = (&store, &journal, &clock);
            let steps = load.steps / SESSIONS;
            let at_work: Vec<_> = hands
                .iter_mut()
                .map(|hand| {
                    scope.spawn(move || {
                        (0..steps).try_for_each(|_| hand.step(store, journal, clock))
                    })
                })
                .collect();
            at_work.into_iter().try_for_each(|thread| {
                thread.join().unwrap_or_else(|_| anyhow::bail!("a thread of the load panicked"))
            })
        });
        done?;
    }
    Ok(())
}
