//! What a brief is made from.

use orch_core::ids::{AgentName, RepoName, Revision, StageName, TaskKey};
use orch_core::verdict::Finding;

/// What a brief is made from.
#[derive(Debug, Clone)]
pub struct BriefContext {
    /// The task.
    pub task: TaskKey,
    /// Its title; from outside.
    pub title: String,
    /// Its body; from outside, may be empty.
    pub body: String,
    /// The stage.
    pub stage: StageName,
    /// The role.
    pub role: AgentName,
    /// Which attempt of the task at the stage this is, from 1.
    pub attempt: u32,
    /// The repository.
    pub repo: RepoName,
    /// The task's branch.
    pub branch: String,
    /// The artifact folder, relative to the worktree.
    pub artifact_dir: String,
    /// The artifacts that the stage leaves, relative to that folder.
    pub artifacts_expected: Vec<String>,
    /// The gate, as in `orch.toml`.
    pub gate_name: String,
    /// What it checks, one line each; see [`gate_asks`](super::gate_asks).
    pub gate_asks: Vec<String>,
    /// What earlier stages left, in the order of the pipeline; from outside.
    pub earlier: Vec<EarlierArtifact>,
    /// Why the task came back; from outside. Empty on the way forward.
    pub feedback: Vec<Finding>,
    /// The revision that the run begins on; `None` where it is not known.
    pub base_commit: Option<Revision>,
    /// The agent goes on in the session of an earlier run.
    pub resumed: bool,
}

/// An artifact that an earlier stage left.
#[derive(Debug, Clone)]
pub struct EarlierArtifact {
    /// Its name, relative to the artifact folder.
    pub name: String,
    /// Its text.
    pub text: String,
}
