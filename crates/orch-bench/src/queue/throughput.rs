//! Jobs per second through submit, claim and complete, each durable when it returns, beside the
//! same statements through the bare driver. The two take turns in short slices, so that whatever
//! else the machine does strikes both.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use orch_store::Store;
use serde::Serialize;

use super::bed::{Bed, Database, Engine};
use super::fill;
use super::raw::{self, Cycles, REPOSITORIES};
use super::template::Cycle;
use super::work::Work;

/// Turns that the store and the raw limit take.
const TURNS: u32 = 5;

/// One line of the table.
#[derive(Debug, Serialize)]
pub struct Rate {
    pub engine: Engine,
    /// Threads that submit, claim and complete.
    pub claimers: usize,
    /// Jobs per second through the store.
    pub jobs_per_s: f64,
    /// Operations that shared a transaction, on average; 1 on PostgreSQL, whose server groups.
    pub group: f64,
    /// Jobs per second through the bare driver, at the same grouping.
    pub raw_per_s: f64,
    /// The same with a transaction for each operation; SQLite only.
    pub raw_alone_per_s: Option<f64>,
    /// The store's share of the raw limit at the same grouping.
    pub share: f64,
    /// Processor time of this process for a job through the store, in microseconds; on PostgreSQL
    /// the server's comes on top.
    pub cpu_us: f64,
    /// The same through the bare driver at the same grouping.
    pub raw_cpu_us: f64,
}

/// Jobs, and the time that they and the processor took.
#[derive(Default)]
struct Tally {
    jobs: u64,
    took: Duration,
    processor: Duration,
}

impl Tally {
    fn add(
        &mut self,
        turn: impl FnOnce() -> anyhow::Result<(u64, Duration)>,
    ) -> anyhow::Result<()> {
        let before = processor_time();
        let (jobs, took) = turn()?;
        self.jobs += jobs;
        self.took += took;
        self.processor += processor_time().saturating_sub(before);
        Ok(())
    }

    fn per_s(&self) -> f64 {
        self.jobs as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn processor_us(&self) -> f64 {
        self.processor.as_secs_f64() * 1e6 / (self.jobs.max(1) as f64)
    }
}

/// What this process has used of all processors.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs() as u32)
}

/// Measures with so many claimers, for about so long.
pub fn measure(
    bed: &Bed,
    engine: Engine,
    cycle: &Cycle,
    claimers: usize,
    each: Duration,
) -> anyhow::Result<Rate> {
    let fresh = || -> anyhow::Result<Database> {
        let database = bed.database(engine)?;
        database.fill(&fill::repositories(engine, REPOSITORIES))?;
        Ok(database)
    };
    let (ours, bare) = (fresh()?, fresh()?);
    let store = ours.store()?;
    let (work, our_cycles, raw_cycles) = (Work::new()?, Cycles::default(), Cycles::default());
    let slice = each / TURNS;
    let (mut through, mut grouped, mut alone) =
        (Tally::default(), Tally::default(), Tally::default());
    let before = store.writer_stats();
    let mut group = 1.0;
    for _ in 0..TURNS {
        through.add(|| cycles(&store, &work, &our_cycles, claimers, slice))?;
        let stats = store.writer_stats();
        let operations = (stats.operations - before.operations) as f64;
        group = operations / (stats.commits - before.commits).max(1) as f64;
        match engine {
            Engine::Sqlite => {
                let connection = bare.sqlite()?;
                let turn = |at_once, group| {
                    raw::sqlite::cycles(&connection, cycle, &raw_cycles, at_once, group, slice)
                };
                grouped.add(|| turn(claimers, group))?;
                if claimers > 1 {
                    alone.add(|| turn(1, 1.0))?;
                }
            }
            Engine::Postgres => {
                grouped
                    .add(|| raw::postgres::cycles(&bare, cycle, &raw_cycles, claimers, slice))?;
            }
        }
    }
    let (jobs_per_s, raw_per_s) = (through.per_s(), grouped.per_s());
    let raw_alone_per_s = match engine {
        Engine::Sqlite => Some(if claimers > 1 { alone.per_s() } else { raw_per_s }),
        Engine::Postgres => None,
    };
    let share = jobs_per_s / raw_per_s;
    let (cpu_us, raw_cpu_us) = (through.processor_us(), grouped.processor_us());
    Ok(Rate {
        engine,
        claimers,
        jobs_per_s,
        group,
        raw_per_s,
        raw_alone_per_s,
        share,
        cpu_us,
        raw_cpu_us,
    })
}

/// Runs cycles through the store for so long with so many threads.
fn cycles(
    store: &Store,
    work: &Work,
    cycles: &Cycles,
    claimers: usize,
    limit: Duration,
) -> anyhow::Result<(u64, Duration)> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let begun = Instant::now();
        let claimer = || -> anyhow::Result<u64> {
            let mut done = 0;
            while !stop.load(Ordering::Relaxed) {
                work.submit(store, &cycles.repository())?;
                let claim = loop {
                    match work.claim(store)? {
                        Some(claim) => break claim,
                        None => std::thread::yield_now(),
                    }
                };
                work.complete(store, &claim)?;
                done += 1;
            }
            Ok(done)
        };
        let threads: Vec<_> = (0..claimers).map(|_| scope.spawn(claimer)).collect();
        while begun.elapsed() < limit
            && !threads.iter().any(std::thread::ScopedJoinHandle::is_finished)
        {
            std::thread::sleep(Duration::from_millis(2));
        }
        stop.store(true, Ordering::Relaxed);
        let mut done = 0;
        for thread in threads {
            done += thread.join().map_err(|_| anyhow!("a claimer panicked"))??;
        }
        Ok((done, begun.elapsed()))
    })
}
