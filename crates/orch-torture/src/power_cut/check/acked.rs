//! Is what was acknowledged there? Later operations may have gone further, never back.

use orch_core::ids::JobId;
use orch_core::job::{Job, JobState};

use super::found::Found;
use crate::power_cut::ack::Ack;

/// What is missing of an acknowledged operation; `None` where all of it is there.
pub(super) fn missing(found: &Found, ack: &Ack) -> Option<String> {
    shown(found, ack).err().map(|what| format!("{what}, but this was acknowledged: {ack:?}"))
}

fn shown(found: &Found, ack: &Ack) -> Result<(), String> {
    match ack {
        Ack::Registered { repo } => demand(found.repos.contains_key(repo), "no such repository"),
        Ack::Submitted { key, title, .. } => {
            let task = found.tasks.get(key).ok_or("no such task")?;
            demand(task.title == *title, "the task is another one")
        }
        Ack::Claimed { job, epoch, run, worker } => {
            let run = found.runs.get(run).ok_or("no such run")?;
            let same = run.job_id == *job && run.run_epoch == *epoch && run.worker_id == *worker;
            demand(same, "the run is another one's")?;
            demand(job_of(found, *job)?.run_epoch >= *epoch, "the job's epoch fell")
        }
        Ack::Process { run, pid } => {
            let run = found.runs.get(run).ok_or("no such run")?;
            let same = run.process.as_ref().is_some_and(|process| process.pid == *pid);
            demand(same, "the run's process is not known")
        }
        Ack::Base { run, base } => {
            let run = found.runs.get(run).ok_or("no such run")?;
            let same = run.base_commit.as_ref().is_some_and(|known| known.as_str() == base);
            demand(same, "the run's base is not known")
        }
        Ack::Beat { job, epoch, lease_until } => match &job_of(found, *job)?.state {
            JobState::Running(owner) if owner.run_epoch == *epoch => {
                demand(owner.lease_until.as_millisecond() >= *lease_until, "the lease is shorter")
            }
            _ => Ok(()),
        },
        Ack::Applied { run, job, epoch, status, next, over } => {
            let run = found.runs.get(run).ok_or("no such run")?;
            demand(run.end.is_some(), "the run has not ended")?;
            let job = job_of(found, *job)?;
            demand(left(job, *epoch, status), "the job does not stand there")?;
            demand(next.is_none_or(|next| found.jobs.contains_key(&next)), "no next job")?;
            let task = found.tasks.get(&job.key).ok_or("no such task")?;
            demand(!over || !task.state.is_open(), "the task is still open")
        }
        Ack::Cancelled { key } => {
            let task = found.tasks.get(key).ok_or("no such task")?;
            demand(task.state.status() == "cancelled", "the task is not cancelled")
        }
        Ack::Happened { kind, task, repo, nth } => {
            let times = found.happened(*kind, task.as_ref(), repo.as_ref());
            demand(times >= *nth, "it happened less often")
        }
        Ack::Noted { token } => demand(found.said(token), "no such event"),
        Ack::Heard { worker, at } => {
            let heard = found.heard.get(worker).ok_or("no such worker")?;
            demand(heard >= at, "the worker was heard of earlier only")
        }
    }
}

fn job_of(found: &Found, id: JobId) -> Result<&Job, String> {
    found.jobs.get(&id).ok_or_else(|| "no such job".to_owned())
}

/// Whether a job has left that run by that end, or has gone on since.
fn left(job: &Job, epoch: u64, status: &str) -> bool {
    match &job.state {
        JobState::Finished { .. } if job.run_epoch == epoch => {
            // What was queued or held again may have been cancelled since.
            matches!(status, "queued" | "held") || job.state.status() == status
        }
        JobState::Running(owner) => owner.run_epoch > epoch && matches!(status, "queued" | "held"),
        // Also what was held and retried stands in the queue.
        _ => job.run_epoch >= epoch && matches!(status, "queued" | "held"),
    }
}

fn demand(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
