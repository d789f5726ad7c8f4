//! The worker: claims jobs while it has room and drives each run on a thread of its own.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use orch_core::job::JobState;
use orch_store::{Claim, ClaimRequest};

use crate::active::Entry;
use crate::engine::Engine;
use crate::run::{From, Owned, drive};

/// The longest sleep without a look at the queue; a wake comes earlier.
const POLL: Duration = Duration::from_secs(1);
/// The wait after the database could not be asked.
const PATIENCE: Duration = Duration::from_secs(1);

/// Claims and drives until the service stops.
pub fn run(engine: &Arc<Engine>) {
    while !engine.wake.stopping() {
        let seen = engine.wake.generation();
        match claim(engine) {
            Ok(true) => {}
            Ok(false) => engine.wake.sleep(seen, engine.next_look(POLL)),
            Err(error) => {
                tracing::error!(
                    error = crate::error::chain(&error),
                    "the queue could not be asked"
                );
                engine.wake.sleep_through(PATIENCE);
            }
        }
    }
}

/// Claims one job, where there is room and one is due; true where it did.
fn claim(engine: &Arc<Engine>) -> Result<bool, orch_store::StoreError> {
    let room = engine.settings.max_concurrency;
    if engine.active.len() >= room as usize {
        return Ok(false);
    }
    let run_id = engine.clock.run_id();
    // Entered before the claim: the reaper must not find the claimed job without its driver.
    let Some(entry) = engine.active.enter(&run_id) else { return Ok(false) };
    let request = ClaimRequest {
        worker_id: engine.worker.clone(),
        run_id: run_id.clone(),
        lease: engine.settings.lease,
        labels: engine.settings.labels.clone(),
        max_running: room,
        max_per_repo: engine.settings.max_per_repo,
        max_per_agent: engine.settings.max_per_agent,
    };
    let Some(claim) = engine.store.claim(engine.clock.now(), &request)? else { return Ok(false) };
    if let Some(owned) = owned(engine, claim)? {
        spawn(engine, owned, entry, From::Claim);
    }
    Ok(true)
}

fn owned(engine: &Engine, claim: Claim) -> Result<Option<Owned>, orch_store::StoreError> {
    let JobState::Running(owner) = &claim.job.state else { return Ok(None) };
    let owner = owner.clone();
    let repo = engine.store.repo(&claim.task.repo)?;
    Ok(Some(Owned {
        job: claim.job,
        task: claim.task,
        repo,
        attempt: claim.attempt,
        route: claim.route,
        owner,
        base: None,
    }))
}

/// Drives a run on a thread of its own. A panic ends the run's driving, not the service; the
/// reaper takes the run up again.
pub fn spawn(engine: &Arc<Engine>, owned: Owned, entry: Entry, from: From) {
    let engine = Arc::clone(engine);
    let name = format!("run {}", owned.task.key);
    let key = owned.task.key.clone();
    let driver = move || {
        entry.driven.owns(owned.fence());
        drive(&engine, &owned, &entry.driven, from);
        drop(entry);
        engine.wake.notify();
    };
    if let Err(error) = thread::Builder::new().name(name).spawn(driver) {
        tracing::error!(task.key = %key, %error, "no thread for the run; the reaper takes it up");
    }
}
