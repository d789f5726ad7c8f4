//! Retention: what is over goes after its time, in small steps with a rest after each, so that
//! nobody waits for it. What is due is said by `orch-core`; what is open, running or among the
//! newest is never touched. A round that is cut off at any point is gone on with by the next.

mod mirrors;
mod run_dirs;
mod tasks;

use std::time::{Duration, Instant};

use orch_store::{DueTaskCounts, DueTasks, StoreError};

use crate::engine::Engine;
use crate::error::chain;

/// The first round comes this long after the start at the latest: what a start has to do goes
/// first.
const FIRST: Duration = Duration::from_mins(1);
/// Rows that one step deletes at most: a few milliseconds of the writer.
const ROWS: u32 = 200;
/// The shortest and the longest rest after a step.
const REST: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// What a round has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Finished tasks that are gone.
    pub tasks: u64,
    /// Rows of these tasks.
    pub rows: u64,
    /// Events of no task, delivered alerts and silent workers that are gone.
    pub records: u64,
    /// Run directories that are gone.
    pub run_dirs: u64,
    /// The bytes they held.
    pub bytes: u64,
    /// Local branches of these tasks that are gone from the mirrors.
    pub branches: u64,
    /// Things that could not be deleted and are tried again by the next round.
    pub failed: u64,
}

/// What a round would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preview {
    /// Finished tasks that are due, and what belongs to them.
    pub tasks: DueTaskCounts,
    /// Events of no task, delivered alerts and silent workers.
    pub records: u64,
    /// Run directories that are due, those of due tasks included.
    pub run_dirs: u64,
    /// The bytes they hold.
    pub bytes: u64,
}

/// Called after each step with what has been done so far.
pub type Progress<'a> = &'a mut dyn FnMut(&Round);

/// One round after another, until the service stops.
pub(crate) fn run(engine: &Engine) {
    let mut wait = FIRST.min(engine.settings.retention.interval);
    while !engine.wake.sleep_through(wait) {
        match round(engine, &mut |_| {}) {
            Ok(done) if done == Round::default() => {}
            Ok(done) => tracing::info!(
                tasks = done.tasks,
                records = done.records,
                run_dirs = done.run_dirs,
                bytes = done.bytes,
                failed = done.failed,
                "deleted what was over and past its time"
            ),
            Err(error) => {
                tracing::error!(
                    error = chain(&error),
                    "what is past its time could not be deleted; the next round tries again"
                );
            }
        }
        mirrors::maintain(engine);
        wait = engine.settings.retention.interval;
    }
}

/// One round: tasks, then run directories, then records. Ends early where the service stops.
pub fn round(engine: &Engine, progress: Progress<'_>) -> Result<Round, StoreError> {
    let now = engine.clock.now();
    let mut done = Round::default();
    tasks::prune(engine, now, &mut done, progress)?;
    run_dirs::prune(engine, now, &mut done, progress)?;
    let rule = engine.settings.retention.records;
    if let Some(before) = orch_core::retention::cutoff(rule, now) {
        steps(engine, || {
            let gone = engine.store.prune_records(before, ROWS)?;
            done.records += gone;
            progress(&done);
            Ok(gone >= ROWS.into())
        })?;
    }
    Ok(done)
}

/// What a round would do now; nothing is changed.
pub fn preview(engine: &Engine) -> Result<Preview, StoreError> {
    let now = engine.clock.now();
    let rules = &engine.settings.retention;
    let mut found = Preview::default();
    let due = DueTasks::of(&rules.tasks, now);
    if let Some(due) = due {
        found.tasks = engine.store.count_due_tasks(due)?;
    }
    for dir in run_dirs::due(engine, now, due)? {
        found.run_dirs += 1;
        found.bytes += run_dirs::size(&engine.home.run(&dir));
    }
    if let Some(before) = orch_core::retention::cutoff(rules.records, now) {
        found.records = engine.store.count_due_records(before)?;
    }
    Ok(found)
}

/// Takes steps for as long as they say that there is more, and rests after each as long as it
/// took: whoever else writes has at least half of the writer. False where the service stops.
fn steps(
    engine: &Engine,
    mut step: impl FnMut() -> Result<bool, StoreError>,
) -> Result<bool, StoreError> {
    loop {
        let begun = Instant::now();
        let more = step()?;
        let rest = begun.elapsed().clamp(REST.0, REST.1);
        if engine.wake.sleep_through(rest) {
            return Ok(false);
        }
        if !more {
            return Ok(true);
        }
    }
}
