//! Events: the append-only record of everything that happened, written in the transaction that
//! made it happen (S10).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{EventId, RepoName, RunId, TaskKey};

/// An event about to be recorded; the store adds its number and time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NewEvent {
    /// What sort of thing happened.
    pub kind: EventKind,
    /// The task it is about.
    pub task: Option<TaskKey>,
    /// The repository it is about.
    pub repo: Option<RepoName>,
    /// The run it belongs to.
    pub run_id: Option<RunId>,
    /// One line for people.
    pub message: String,
    /// Further facts for machines; an object.
    pub data: Value,
}

/// A recorded event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number; what a reader resumes from.
    pub id: EventId,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: NewEvent,
}

macro_rules! event_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What sort of thing happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum EventKind {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl EventKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in the log and the API, such as `task.created`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

event_kinds! {
    /// A repository was registered or its registration changed.
    RepoRegistered = "repo.registered",
    /// No task of the repository enters any more.
    RepoFrozen = "repo.frozen",
    /// Tasks of the repository enter again.
    RepoUnfrozen = "repo.unfrozen",
    /// A task was submitted.
    TaskCreated = "task.created",
    /// A task was given a slot at the serial gate.
    TaskAdmitted = "task.admitted",
    /// A task entered a stage.
    StageEntered = "task.stage_entered",
    /// A task goes back because its code was found wanting.
    TaskBounced = "task.bounced",
    /// A stage is tried again because its gate did not pass.
    StageRetried = "task.stage_retried",
    /// A task is tested again because its base moved.
    TaskRetested = "task.retested",
    /// A task is parked.
    TaskHeld = "task.held",
    /// A held or waiting task was set going again.
    TaskRetried = "task.retried",
    /// A human approved.
    TaskApproved = "task.approved",
    /// A human answered.
    TaskAnswered = "task.answered",
    /// A task steps aside.
    TaskPaused = "task.paused",
    /// A task takes its place again.
    TaskResumed = "task.resumed",
    /// A task's branch landed.
    TaskMerged = "task.merged",
    /// A task reached its end.
    TaskDone = "task.done",
    /// A task was cancelled.
    TaskCancelled = "task.cancelled",
    /// A worker claimed a job.
    RunStarted = "run.started",
    /// A worker found a run of its own alive after a restart.
    RunAdopted = "run.adopted",
    /// A run ended.
    RunEnded = "run.ended",
    /// A run's job was taken back because the run is gone.
    RunReaped = "run.reaped",
    /// A gate judged a stage.
    GateJudged = "gate.judged",
    /// A job went back to the queue because infrastructure failed for a moment.
    JobDeferred = "job.deferred",
    /// What jobs go through, such as a provider's account, is shut for a time.
    ChannelPaused = "channel.paused",
    /// It is open again.
    ChannelOpened = "channel.opened",
    /// An agent asked something.
    TaskAsked = "task.asked",
    /// What jobs go through failed for several tasks, or again and again, and waits for a probe.
    BreakerOpened = "breaker.opened",
    /// It works again.
    BreakerClosed = "breaker.closed",
    /// A queued job with traces of an owner was cleaned.
    ImpossibleQueued = "job.impossible_queued",
    /// The reconciler mended a difference between the records and the world.
    Reconciled = "reconciler.mended",
    /// A deploy was begun.
    DeployBegan = "deploy.began",
    /// A deploy can't go on for now.
    DeployStuck = "deploy.stuck",
    /// A deploy ended: done, failed or rolled back.
    DeployEnded = "deploy.ended",
    /// A deploy target's lock was taken over from a dead owner.
    DeployLockTakenOver = "deploy.lock_taken_over",
    /// The post-deploy-monitor told somebody of something.
    MonitorAlerted = "monitor.alerted",
    /// The watch of a deployed revision ended.
    MonitorEnded = "monitor.ended",
    /// Something worth saying to people that fits no other kind.
    Note = "note",
}

impl EventKind {
    /// Looks a kind up by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}
