//! Tasks: pieces of requested work, and how far each has come.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::{RepoName, Revision, StageName, TaskId, TaskKey, TreeId};
use crate::pipeline::Pipeline;
use crate::verdict::Finding;

/// One piece of requested work on one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its row, and its place in the FIFO order.
    pub id: TaskId,
    /// Its key, such as `ORCH-126`.
    pub key: TaskKey,
    /// The repository it is about.
    pub repo: RepoName,
    /// One line.
    pub title: String,
    /// The request in full; may be empty.
    pub body: String,
    /// Higher goes first.
    pub priority: i32,
    /// The pipeline as it was at submission.
    pub pipeline: Pipeline,
    /// Open, done or cancelled.
    pub state: TaskState,
    /// How far it has come; what decisions change.
    pub progress: Progress,
    /// Set while it steps aside at the serial gate.
    pub paused: Option<Pause>,
    /// Its slot at the serial gate; `None` while it waits outside.
    pub gate_slot: Option<u32>,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// How far a task has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Where it stands, or stood last.
    pub stage: StageName,
    /// Failed attempts at the present stage since the task entered it.
    pub attempts: u32,
    /// How often the task went back because its code was found wanting.
    pub bounces: u32,
    /// How often it was tested again because `main` had moved.
    pub retests: u32,
    /// The tip of its branch as last pushed.
    pub head: Option<Revision>,
    /// What was tested last with a pass.
    pub tested: Option<Tested>,
    /// What landed on the default branch.
    pub merged: Option<Revision>,
    /// Why it came back last time; goes into the next brief.
    pub feedback: Vec<Finding>,
}

/// Whether a task is still to be worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TaskState {
    /// It has exactly one active job.
    Open,
    /// It reached the end of its pipeline.
    Done {
        /// When.
        at: Timestamp,
    },
    /// Somebody cancelled it.
    Cancelled {
        /// When.
        at: Timestamp,
        /// Why, in the words given.
        reason: String,
    },
}

impl TaskState {
    /// True while the task is still to be worked.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// The word in the `status` column.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done { .. } => "done",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

impl Progress {
    /// A task that has just entered its first stage.
    pub fn at(stage: StageName) -> Self {
        Self {
            stage,
            attempts: 0,
            bounces: 0,
            retests: 0,
            head: None,
            tested: None,
            merged: None,
            feedback: Vec::new(),
        }
    }
}

/// A tested revision and its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// The revision the suite ran on.
    pub commit: Revision,
    /// Its tree without `docs/work-items`: what has to reach `main` unchanged.
    pub code_tree: TreeId,
}

/// A task steps aside at the serial gate and blocks nobody (S5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// Why, in the words given.
    pub reason: Option<String>,
}
