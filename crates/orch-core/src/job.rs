//! Jobs: queued attempts at a stage, and who owns one while it runs (S2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{AgentName, JobId, RepoName, RunId, StageName, TaskId, TaskKey, WorkerId};
use crate::process::ProcessIdentity;

/// One queued attempt at a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its row.
    pub id: JobId,
    /// The task it works for.
    pub task_id: TaskId,
    /// That task's key.
    pub key: TaskKey,
    /// That task's repository.
    pub repo: RepoName,
    /// The stage it attempts.
    pub stage: StageName,
    /// Who works it: an agent's role or a reserved runner.
    pub agent: AgentName,
    /// Higher goes first.
    pub priority: i32,
    /// Claims so far; rises with every claim, never falls, and is the fencing token.
    pub run_epoch: u64,
    /// How often infrastructure that failed for a moment sent it back to the queue.
    pub defers: u32,
    /// How often an end of which nobody could tell what failed sent it back to the queue.
    pub unknowns: u32,
    /// How often its run was stopped from outside.
    pub stops: u32,
    /// How often a run of it was lost with its worker: a job that takes its worker down again and
    /// again is held.
    pub crashes: u32,
    /// Where it is in its life.
    pub state: JobState,
    /// When it was enqueued.
    pub created_at: Timestamp,
}

/// Where a job is in its life. A queued job with an owner can't be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// Waits to be claimed.
    Queued {
        /// Not to be claimed before this moment.
        available_at: Timestamp,
        /// Why it is back in the queue; `None` on the first time.
        reason: Option<String>,
    },
    /// A worker has it.
    Running(Ownership),
    /// It has ended.
    Finished {
        /// How.
        result: JobResult,
        /// When.
        at: Timestamp,
        /// Why, where there is something to say.
        reason: Option<String>,
    },
    /// Parked, with its task, until somebody or something resumes it.
    Held {
        /// Why.
        hold: Hold,
        /// Since when.
        since: Timestamp,
    },
}

impl JobState {
    /// The word in the `status` column.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Queued { .. } => "queued",
            Self::Running(_) => "running",
            Self::Finished { result, .. } => result.status(),
            Self::Held { .. } => "held",
        }
    }
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobResult {
    /// Its gate passed.
    Succeeded,
    /// Its gate did not pass, or it was superseded.
    Failed,
    /// Its task was cancelled.
    Cancelled,
}

impl JobResult {
    /// The word in the `status` column.
    pub fn status(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Who owns a running job: all of it or nothing of it is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// The execution.
    pub run_id: RunId,
    /// The job's epoch at the claim; every write by the run must show it.
    pub run_epoch: u64,
    /// The worker that claimed it.
    pub worker_id: WorkerId,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// Until when the worker's claim holds without a heartbeat.
    pub lease_until: Timestamp,
    /// The run's supervisor; `None` until the spawn's stamp.
    pub process: Option<ProcessIdentity>,
}

/// What a run shows with every write: who it is and by which claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fence {
    /// The job.
    pub job_id: JobId,
    /// The execution.
    pub run_id: RunId,
    /// The epoch of its claim.
    pub run_epoch: u64,
}

/// Why a task is parked where it stands: nothing rolled back, no retry burnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// What sort of thing has to happen before it moves.
    pub kind: HoldKind,
    /// The stated reason, for people.
    pub reason: String,
}

/// What sort of thing a held task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// Infrastructure is broken or its defers are used up.
    Infra,
    /// The attempts or bounces of the budget are used up.
    Budget,
    /// A budget of money or tokens is spent; it goes on by itself once there is some again.
    Spend,
    /// The repository's configuration does not allow the stage to be worked.
    Config,
    /// A deploy failed.
    Deploy,
    /// A human has to say yes.
    Approval,
    /// An agent asked something.
    Question,
}

impl HoldKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Infra,
        Self::Budget,
        Self::Spend,
        Self::Config,
        Self::Deploy,
        Self::Approval,
        Self::Question,
    ];

    /// The word in the `hold_kind` column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Infra => "infra",
            Self::Budget => "budget",
            Self::Spend => "spend",
            Self::Config => "config",
            Self::Deploy => "deploy",
            Self::Approval => "approval",
            Self::Question => "question",
        }
    }

    /// Reads the word back.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
