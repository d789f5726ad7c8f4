//! The reaper (S3): looks at every running job that nobody here drives, and takes its run up
//! again, collects what it left, or takes the job back. The same look is the recovery at start-up,
//! so that recovery is never a start-up affair only.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use orch_core::decide::{Loss, Situation, run_lost};
use orch_core::event::{EventKind, NewEvent};
use orch_core::job::{Job, JobState, Ownership};
use orch_core::process::ProcessIdentity;
use orch_core::stage::MERGE_GATE;
use orch_core::task::Task;
use orch_process::{Observation, Revocation, RunDir};
use orch_store::{Guard, StoreError};

use crate::engine::Engine;
use crate::run::{From, Owned};
use crate::worker;

/// What is to be done about a running job that nobody here drives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Its supervisor lives, or has left an exit: drive the run from there.
    TakeUp,
    /// Its supervisor is just starting: look again on the next tick.
    Wait,
    /// Its run is gone: take the job back.
    Gone(Loss),
    /// Another worker has it and its lease holds.
    Elsewhere,
}

/// What is known of such a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting<'a> {
    /// Whether this worker claimed it.
    pub mine: bool,
    /// Whether its lease has run out.
    pub lease_over: bool,
    /// Whether its work is done inside the service, without a supervisor.
    pub inside: bool,
    /// What its run directory shows; only this worker's can be looked at.
    pub seen: Option<&'a Observation>,
}

/// Decides about one job: identity first, then the lease.
pub fn judge(sighting: &Sighting<'_>) -> Finding {
    if !sighting.mine {
        let reason = || "its worker's lease ran out".to_owned();
        return if sighting.lease_over {
            Finding::Gone(Loss::Vanished { reason: reason() })
        } else {
            Finding::Elsewhere
        };
    }
    if sighting.inside {
        return Finding::Gone(Loss::NeverStarted);
    }
    match sighting.seen {
        Some(Observation::Running(_) | Observation::Exited(_)) => Finding::TakeUp,
        Some(Observation::Starting) => Finding::Wait,
        Some(Observation::Lost { reason }) => {
            Finding::Gone(Loss::Vanished { reason: reason.clone() })
        }
        Some(Observation::NotStarted | Observation::Revoked) | None => {
            Finding::Gone(Loss::NeverStarted)
        }
    }
}

/// One look at everything; never raises, the next tick looks again.
pub fn tick(engine: &Arc<Engine>) {
    sanitize(engine);
    let now = engine.clock.now();
    match engine.store.running(None) {
        Ok(running) => {
            for (job, task) in running {
                if let Err(error) = look(engine, job, task) {
                    tracing::error!(
                        error = crate::error::chain(&error),
                        "a running job could not be looked at"
                    );
                }
            }
        }
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

fn look(engine: &Arc<Engine>, job: Job, task: Task) -> Result<(), StoreError> {
    let JobState::Running(owner) = job.state.clone() else { return Ok(()) };
    let Some(entry) = engine.active.enter(&owner.run_id) else { return Ok(()) };
    // Read again under the entry: the run may have been settled since the list was read.
    if !engine.owns(&fence(&job, &owner))? {
        return Ok(());
    }
    let inside = job.agent.as_str() == MERGE_GATE;
    let mine = owner.worker_id == engine.worker;
    let seen = (mine && !inside).then(|| certain(&RunDir::new(engine.home.run(&owner.run_id))));
    let lease_over = owner.lease_until < engine.clock.now();
    let finding = judge(&Sighting { mine, lease_over, inside, seen: seen.as_ref() });
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
    let owned = Owned { attempt: run.attempt, base: run.base_commit, job, task, repo, owner };
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
    let policy = engine.policy(&engine.store.repo(&task.repo)?, &job.agent);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(seen: Option<&Observation>) -> Sighting<'_> {
        Sighting { mine: true, lease_over: false, inside: false, seen }
    }

    #[test]
    fn a_run_is_taken_back_only_when_it_is_certainly_gone() {
        let lost = Observation::Lost { reason: "no such process".into() };
        let never = Finding::Gone(Loss::NeverStarted);
        let vanished = |reason: &str| Finding::Gone(Loss::Vanished { reason: reason.into() });
        let theirs = |lease_over| Sighting { mine: false, lease_over, inside: false, seen: None };
        let table = [
            (sighting(Some(&Observation::Starting)), Finding::Wait),
            (sighting(Some(&Observation::Revoked)), never.clone()),
            (sighting(Some(&lost)), vanished("no such process")),
            // An own run counts by its process, however long the service was away.
            (
                Sighting { lease_over: true, ..sighting(Some(&Observation::Starting)) },
                Finding::Wait,
            ),
            (Sighting { inside: true, ..sighting(None) }, never),
            (theirs(false), Finding::Elsewhere),
            (theirs(true), vanished("its worker's lease ran out")),
        ];
        for (sighting, expected) in table {
            assert_eq!(judge(&sighting), expected, "{sighting:?}");
        }
    }
}
