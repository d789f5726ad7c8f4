//! What the store said was done: one line of the workload's journal, written after the store had
//! returned.

use orch_core::event::EventKind;
use orch_core::ids::{JobId, RepoName, RunId, TaskKey, WorkerId};
use serde::{Deserialize, Serialize};

/// An operation that returned, with what must be readable from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Ack {
    /// A repository is registered.
    Registered { repo: RepoName },
    /// A task is there, with this title, under this idempotency key.
    Submitted { key: TaskKey, title: String, idempotency: String },
    /// A worker owns a job.
    Claimed { job: JobId, epoch: u64, run: RunId, worker: WorkerId },
    /// A run's process is known.
    Process { run: RunId, pid: u32 },
    /// The tip on which a run began is known.
    Base { run: RunId, base: String },
    /// A run's lease holds until then, in Unix milliseconds.
    Beat { job: JobId, epoch: u64, lease_until: i64 },
    /// A decision about a run is in: how the job stands, what follows, whether the task is over.
    Applied { run: RunId, job: JobId, epoch: u64, status: String, next: Option<JobId>, over: bool },
    /// A task is cancelled.
    Cancelled { key: TaskKey },
    /// Something that its owner alone does happened for the `nth` time.
    Happened { kind: EventKind, task: Option<TaskKey>, repo: Option<RepoName>, nth: usize },
    /// An event with that message is recorded.
    Noted { token: String },
    /// A worker was heard of then, in Unix milliseconds.
    Heard { worker: WorkerId, at: i64 },
}
