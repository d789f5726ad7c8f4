//! Decisions: what becomes of a job and its task after something happened. One file per
//! happening; each is a pure function whose answer the store applies in one transaction.

mod answered;
mod approved;
mod backoff;
mod cancelled;
mod channel_paused;
mod deploy_waits;
mod merge_ended;
mod next;
mod retried;
mod run_ended;
mod run_lost;
mod submitted;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use answered::answered;
pub use approved::approved;
pub use backoff::delay;
pub use cancelled::cancelled;
pub use channel_paused::channel_paused;
pub use deploy_waits::deploy_waits;
pub use merge_ended::{MergeResult, merge_ended};
pub use next::first_job;
pub use retried::{mended, retried};
pub use run_ended::{RunReport, run_ended};
pub use run_lost::{Loss, run_lost};
pub use submitted::{Submission, submitted};

use crate::event::{EventKind, NewEvent};
use crate::ids::{AgentName, Label, RunId, StageName};
use crate::job::{Hold, Job, JobResult};
use crate::task::{Progress, Task};

/// What is decided: applied as a whole or not at all.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Decision {
    /// What becomes of the job at hand, and with it of the task.
    pub step: Step,
    /// How far the task has come now.
    pub progress: Progress,
    /// What is recorded.
    pub events: Vec<NewEvent>,
    /// What somebody has to be told.
    pub alerts: Vec<Alert>,
}

/// What becomes of the job at hand. An open task without an active job can't be written down:
/// a job either has a successor, goes on living, or ends with its task.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The job is over and the task's next one is there.
    Next {
        /// How the job ended.
        result: JobResult,
        /// Why, where there is something to say.
        reason: Option<String>,
        /// The job that follows.
        job: NextJob,
    },
    /// The same job goes back to the queue.
    Requeue {
        /// Not to be claimed before this moment.
        available_at: Timestamp,
        /// Why it is back.
        reason: String,
        /// Which counter it raises.
        counts: Counts,
    },
    /// The same job is parked.
    Hold(Hold),
    /// The job and its task are over.
    End(TaskEnd),
}

/// Which counter of a job a return to the queue raises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counts {
    /// None: nobody's fault, or an operator's wish.
    Nothing,
    /// The defers: infrastructure failed for a moment.
    Defer,
    /// The unknowns: nobody can tell what failed.
    Unknown,
    /// The stops: somebody ended the run from outside.
    Stop,
    /// The crashes: a run was lost with its worker.
    Crash,
    /// All counters begin anew.
    Reset,
}

/// How a task ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskEnd {
    /// At the end of its pipeline.
    Done,
    /// By somebody's wish.
    Cancelled {
        /// Why, in the words given.
        reason: String,
    },
}

/// A job that is about to be enqueued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextJob {
    /// The stage it attempts.
    pub stage: StageName,
    /// Who works it.
    pub agent: AgentName,
    /// What a worker must have to claim it.
    pub labels: BTreeSet<Label>,
    /// Whether it waits for a worker or for a person.
    pub start: Start,
}

/// How a new job begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// It may be claimed from this moment on.
    Queued {
        /// Not to be claimed before this moment.
        available_at: Timestamp,
        /// Why it is there, where it is not simply next.
        reason: Option<String>,
    },
    /// It is parked from the beginning.
    Held(Hold),
}

/// Something that somebody has to be told; delivered through the outbox (S13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// One alert of a key is enough while it stays undelivered.
    pub dedup_key: String,
    /// One line.
    pub message: String,
}

/// The limits that decisions keep (`[budgets]`, `[merge_gate]`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Bounces per task before it is held.
    pub bounces: u32,
    /// Defers per job, for infrastructure that failed for a moment, before its task is held.
    pub defers: u32,
    /// Tries again per job, after ends of which nobody can tell what failed, before its task is
    /// held.
    pub unknowns: u32,
    /// Runs of a job lost with their worker, at the last of which its task is held.
    pub crashes: u32,
    /// Tests again per task, because `main` moved, before it is held.
    pub retests: u32,
    /// The first delay of a defer; the second is four times, every further one twenty times it.
    pub backoff_base: Duration,
    /// The longest delay of a defer.
    pub backoff_cap: Duration,
    /// Set where the channel that a run took was shut after it: infrastructure that ended the run
    /// sends the job back at once and counts nowhere, because no claim takes it through that
    /// channel. The reason, for people.
    pub reroute: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            bounces: 3,
            defers: 3,
            unknowns: 1,
            crashes: 3,
            retests: 5,
            backoff_base: Duration::from_secs(30),
            backoff_cap: Duration::from_mins(10),
            reroute: None,
        }
    }
}

/// A job with its task: what every decision is about.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The task.
    pub task: &'a Task,
    /// Its active job.
    pub job: &'a Job,
    /// The moment of the decision.
    pub now: Timestamp,
}

impl Situation<'_> {
    /// An event about this task and repository.
    fn event(&self, kind: EventKind, message: impl Into<String>) -> NewEvent {
        NewEvent {
            kind,
            task: Some(self.task.key.clone()),
            repo: Some(self.task.repo.clone()),
            run_id: self.run_id(),
            message: message.into(),
            data: serde_json::json!({ "stage": self.job.stage, "agent": self.job.agent }),
        }
    }

    fn run_id(&self) -> Option<RunId> {
        match &self.job.state {
            crate::job::JobState::Running(owner) => Some(owner.run_id.clone()),
            _ => None,
        }
    }

    /// The decision to park the task where it stands.
    fn hold(&self, progress: Progress, hold: Hold) -> Decision {
        let message = format!("held at {}: {}", self.job.stage, hold.reason);
        let alert = Alert {
            dedup_key: format!("held:{}:{}", self.task.key, self.job.stage),
            message: format!("{} is {message}", self.task.key),
        };
        Decision {
            events: vec![self.event(EventKind::TaskHeld, message)],
            step: Step::Hold(hold),
            progress,
            alerts: vec![alert],
        }
    }
}

/// A wish that the state of the task does not allow; the HTTP floor answers 409.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {reason}")]
pub struct NotAllowed {
    /// The task.
    pub key: crate::ids::TaskKey,
    /// Why not, and what would be allowed.
    pub reason: String,
}

#[cfg(test)]
mod tests;
