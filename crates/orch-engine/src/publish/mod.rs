//! The publisher: hands what runs leave behind on to the object store, so that other machines can
//! read it (S14).
//!
//! It works from what lies in the run directories alone, beside the runs and never before them: a
//! store that is down delays nothing and is tried again. What has been handed on is noted in the
//! run's directory; done again, it writes the same objects.

mod artifacts;
mod marker;
mod spec;
mod upload;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_core::ids::RunId;
use orch_core::settings::ObjectStore;
use orch_objects::{Objects, ObjectsError};

pub use artifacts::{keep_artifacts, kept_artifact, kept_artifacts};
pub use marker::is_published;

use crate::engine::Engine;
use upload::{Fault, Run, Step};

/// From one look at the logs to the next: a reader elsewhere follows this much behind.
const PACE: Duration = Duration::from_secs(2);
/// The longest wait after the store failed; the waits double up to it.
const PATIENCE: Duration = Duration::from_mins(1);
/// From one look at all run directories to the next: mends what was forgotten or failed here.
const RESCAN: Duration = Duration::from_mins(5);
/// Runs that are remembered as not handed on; more are found again by the next look at the disk.
const MAX_PENDING: usize = 4096;
/// Of them, those that a look at the disk may add: the others are for runs that are driven now.
const MAX_FOUND: usize = MAX_PENDING / 2;
/// Runs that are finished in one round: those that go on are looked at again in between.
const FINISHED_AT_ONCE: usize = 32;

/// What the runs tell the publisher.
#[derive(Debug)]
pub struct Publishing {
    objects: Option<Objects>,
    pending: Mutex<BTreeSet<RunId>>,
}

impl Publishing {
    /// Publishes to this store; without one nothing is published. Fails where no thread is free.
    pub fn new(
        store: Option<&ObjectStore>,
        environment: &BTreeMap<String, String>,
    ) -> io::Result<Self> {
        let objects = store.map(|store| Objects::new(store, environment)).transpose()?;
        Ok(Self { objects, pending: Mutex::default() })
    }

    /// The store; `None` where none is set.
    pub fn objects(&self) -> Option<&Objects> {
        self.objects.as_ref()
    }

    /// Notes that a run is driven here.
    pub fn note(&self, run: &RunId) {
        if self.objects.is_none() {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() < MAX_PENDING {
            pending.insert(run.clone());
        }
    }

    /// The runs that are not handed on yet, as far as they are remembered; the newest first, for
    /// they are the ones that somebody may be following.
    fn pending(&self) -> Vec<RunId> {
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.iter().rev().cloned().collect()
    }

    fn forget(&self, run: &RunId) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(run);
    }
}

/// Publishes until the service stops.
pub fn run(engine: &Arc<Engine>) {
    let Some(objects) = engine.publishing.objects() else { return };
    let mut publisher = Publisher { engine, objects, runs: BTreeMap::new() };
    let mut scanned: Option<std::time::Instant> = None;
    let mut failing: Option<Duration> = None;
    loop {
        if scanned.is_none_or(|at| at.elapsed() >= RESCAN) {
            publisher.scan();
            scanned = Some(std::time::Instant::now());
        }
        let pause = match publisher.tick() {
            Ok(more) => {
                if failing.take().is_some() {
                    tracing::info!(objects.place = objects.place(), "the object store works again");
                }
                if more { Duration::ZERO } else { PACE }
            }
            Err(error) => {
                // Said once, and again only when it has gone well in between.
                if failing.is_none() {
                    tracing::warn!(
                        objects.place = objects.place(),
                        %error,
                        "logs and artifacts wait for the object store; runs go on"
                    );
                }
                let pause = failing.map_or(PACE, |last| (last * 2).min(PATIENCE));
                failing = Some(pause);
                pause
            }
        };
        if engine.wake.sleep_through(pause) {
            return;
        }
    }
}

struct Publisher<'a> {
    engine: &'a Engine,
    objects: &'a Objects,
    /// How far each pending run is.
    runs: BTreeMap<RunId, Run>,
}

impl Publisher<'_> {
    /// Finds runs whose directory says that they are not handed on, from an earlier service too.
    fn scan(&self) {
        let Ok(entries) = std::fs::read_dir(self.engine.home.path().join("runs")) else { return };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let runs = names.filter_map(|name| RunId::new(name).ok());
        let waiting = runs.filter(|run| !is_published(&self.engine.home.run(run)));
        for run in waiting.take(MAX_FOUND) {
            self.engine.publishing.note(&run);
        }
    }

    /// One step of every pending run; true where there is more to do at once. Fails where the
    /// store does: the others would meet the same.
    fn tick(&mut self) -> Result<bool, ObjectsError> {
        let mut more = false;
        let mut finished = 0;
        for run in self.engine.publishing.pending() {
            if self.engine.wake.stopping() {
                return Ok(false);
            }
            let state = self.runs.entry(run.clone()).or_default();
            match upload::step(self.engine, self.objects, &run, state) {
                Ok(Step::Going) => continue,
                Ok(Step::More) => {
                    more = true;
                    continue;
                }
                Ok(Step::Done) => {}
                Err(Fault::Store(error)) => return Err(error),
                Err(Fault::Here(error)) => {
                    tracing::warn!(run.id = %run, %error, "a run's directory can't be read to hand it on; tried again in some minutes");
                }
            }
            self.engine.publishing.forget(&run);
            self.runs.remove(&run);
            finished += 1;
            if finished == FINISHED_AT_ONCE {
                return Ok(true);
            }
        }
        Ok(more)
    }
}
