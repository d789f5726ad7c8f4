//! The reaper (S3): looks at every running job that nobody here drives, and takes its run up
//! again, collects what it left, or takes the job back; and at every driven run whose supervisor may
//! stand still. The same look is the recovery at start-up, so that recovery is never a start-up
//! affair only. What is decided is decided in `orch_core::reap`.

mod stall;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use orch_core::decide::{Loss, Situation, run_lost};
use orch_core::event::{EventKind, NewEvent};
use orch_core::job::{Job, JobState, Ownership};
use orch_core::process::ProcessIdentity;
pub use orch_core::reap::{Finding, Sighting, judge};
use orch_core::stage::{DEPLOY_FINALIZER, MERGE_GATE};
use orch_core::task::Task;
use orch_process::{Observation, Revocation, RunDir};
use orch_store::{Guard, StoreError};

pub use self::stall::Watched;
use crate::engine::Engine;
use crate::run::{From, Owned};
use crate::worker;

/// Running jobs that are looked at at a time: what the store commits together.
const LOOKS: usize = 32;

/// One look at everything; never raises, the next tick looks again.
pub fn tick(engine: &Arc<Engine>) {
    sanitize(engine);
    let now = engine.clock.now();
    match engine.store.running(None) {
        Ok(running) => look_at_all(engine, running),
        Err(error) => tracing::error!(
            error = crate::error::chain(&error),
            "the running jobs could not be read"
        ),
    }
    engine.stats.reaper_ticked(now);
}

fn sanitize(engine: &Engine) {
    if !engine.settings.sanitize_enabled {
        return;
    }
    match engine.store.sanitize(engine.clock.now()) {
        Ok(0) => {}
        Ok(cleaned) => {
            engine.stats.impossible_queued.fetch_add(cleaned, Ordering::Relaxed);
            tracing::error!(
                jobs.cleaned = cleaned,
                "queued jobs with traces of an owner were cleaned"
            );
        }
        Err(error) => {
            tracing::error!(
                error = crate::error::chain(&error),
                "the queue could not be sanitized"
            );
        }
    }
}

/// Looks at running jobs several at a time: each dead run costs a commit and a sweep of the process
/// table, and the store commits together what comes together.
fn look_at_all(engine: &Arc<Engine>, running: Vec<(Job, Task)>) {
    let looks = running.len().min(LOOKS);
    let waiting = Mutex::new(running.into_iter());
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
    thread::scope(|scope| {
        for _ in 0..looks {
            scope.spawn(|| {
                while let Some((job, task)) = next() {
                    if let Err(error) = look(engine, job, task) {
                        tracing::error!(
                            error = crate::error::chain(&error),
                            "a running job could not be looked at"
                        );
                    }
                }
            });
        }
    });
}

fn look(engine: &Arc<Engine>, job: Job, task: Task) -> Result<(), StoreError> {
    let JobState::Running(owner) = job.state.clone() else { return Ok(()) };
    let Some(entry) = engine.active.enter(&owner.run_id) else {
        stall::watch(engine, &owner);
        return Ok(());
    };
    // Read again under the entry: the run may have been settled since the list was read.
    if !engine.owns(&fence(&job, &owner))? {
        return Ok(());
    }
    let inside = job.agent.as_str() == MERGE_GATE;
    let goes_on = job.agent.as_str() == DEPLOY_FINALIZER;
    let sighting =
        Sighting { inside, goes_on, ..Sighting::of(&owner, &engine.worker, engine.clock.now()) };
    let dir = RunDir::new(engine.home.run(&owner.run_id));
    let seen = (sighting.mine && !inside && !goes_on).then(|| certain(&dir));
    let orderly = sighting.mine && engine.orderly.spares(&owner, seen.as_ref(), &dir);
    let finding = judge(&Sighting { orderly, ..sighting.showing(seen.as_ref()) });
    match finding {
        Finding::Elsewhere | Finding::Wait => Ok(()),
        Finding::TakeUp => {
            let alive = match seen {
                Some(Observation::Running(process)) => Some(process),
                _ => None,
            };
            take_up(engine, job, task, owner, alive, entry)
        }
        Finding::Gone(loss) => take_back(engine, &job, &task, &owner, &loss),
    }
}

/// What the run directory shows, made certain: a run that has not started is kept from starting.
fn certain(dir: &RunDir) -> Observation {
    match orch_process::observe(dir) {
        Observation::NotStarted => match orch_process::revoke(dir) {
            Ok(Revocation::Revoked) => Observation::Revoked,
            Ok(Revocation::AlreadyStarted) => orch_process::observe(dir),
            Err(error) => {
                tracing::error!(run.dir = %dir.path().display(), %error, "a run could not be revoked");
                Observation::Starting
            }
        },
        seen => seen,
    }
}

fn take_up(
    engine: &Arc<Engine>,
    job: Job,
    task: Task,
    owner: Ownership,
    alive: Option<ProcessIdentity>,
    entry: crate::active::Entry,
) -> Result<(), StoreError> {
    let repo = engine.store.repo(&task.repo)?;
    let run = engine.store.run(&owner.run_id)?;
    if owner.process.is_none()
        && let Some(process) = alive
    {
        engine.store.stamp_process(&fence(&job, &owner), &process)?;
    }
    engine.stats.adopted.fetch_add(1, Ordering::Relaxed);
    tracing::info!(task.key = %task.key, run.id = %owner.run_id, "run adopted");
    let event = NewEvent {
        kind: EventKind::RunAdopted,
        task: Some(task.key.clone()),
        repo: Some(task.repo.clone()),
        run_id: Some(owner.run_id.clone()),
        message: format!("{} at {} goes on under a restarted service", job.agent, job.stage),
        data: serde_json::json!({ "stage": job.stage, "agent": job.agent }),
    };
    engine.store.record_events(engine.clock.now(), &[event])?;
    let (attempt, base) = (run.attempt, run.base_commit);
    let route = engine.store.route_of(&owner.run_id)?;
    let owned = Owned { job, task, repo, attempt, route, owner, base };
    worker::spawn(engine, owned, entry, From::Launched);
    Ok(())
}

fn take_back(
    engine: &Engine,
    job: &Job,
    task: &Task,
    owner: &Ownership,
    loss: &Loss,
) -> Result<(), StoreError> {
    engine.end_run(&owner.run_id);
    let now = engine.clock.now();
    let repo = engine.store.repo(&task.repo)?;
    crate::money::note_lost(engine, &repo, &owner.run_id);
    let policy = engine.policy(&repo, &job.agent);
    let decision = run_lost(Situation { task, job, now }, loss, &policy);
    match engine.store.apply(now, &Guard::Run(fence(job, owner)), &decision, None) {
        Ok(_) => {
            engine.stats.reaped.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(task.key = %task.key, run.id = %owner.run_id, ?loss, "run reaped");
            engine.wake.notify();
            Ok(())
        }
        Err(StoreError::Fenced { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn fence(job: &Job, owner: &Ownership) -> orch_core::job::Fence {
    orch_core::job::Fence {
        job_id: job.id,
        run_id: owner.run_id.clone(),
        run_epoch: owner.run_epoch,
    }
}
