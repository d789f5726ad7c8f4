//! A repository's pipeline: the stages a task passes, who works each, what closes each, and where
//! a failed verdict leads (S1).

mod check;
mod resolve;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{AgentName, Label, StageName};
use crate::stage::Gate;

pub use resolve::resolve;

/// The most attempts that a stage may be given.
pub const MAX_ATTEMPTS: u32 = 20;
/// The most stages of a pipeline.
pub const MAX_STAGES: usize = 32;

/// A validated pipeline: every stage leads to done, bounces go backwards. Made by
/// validation only, and kept with each task so that a later edit of `orch.toml` can't strand it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Pipeline {
    /// The stages in order; never empty, names unique.
    pub stages: Vec<StageSpec>,
    /// Stages of the standard pipeline that this one does without, each with the reason.
    #[serde(default)]
    pub left_out: Vec<LeftOut>,
}

/// A pipeline as it was stored; a database may have been edited by hand.
#[derive(Deserialize)]
struct Unchecked {
    stages: Vec<StageSpec>,
    #[serde(default)]
    left_out: Vec<LeftOut>,
}

impl TryFrom<Unchecked> for Pipeline {
    type Error = String;
    fn try_from(stored: Unchecked) -> Result<Self, String> {
        let pipeline = Self { stages: stored.stages, left_out: stored.left_out };
        match pipeline.check().first() {
            None => Ok(pipeline),
            Some(fault) => Err(fault.to_string()),
        }
    }
}

/// One stage of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSpec {
    /// Its name.
    pub name: StageName,
    /// Who works it.
    pub producer: Producer,
    /// The check that closes it.
    pub gate: Gate,
    /// What a failed verdict leads to.
    pub on_fail: OnFail,
    /// The stage after a pass; `None` is done.
    pub next: Option<StageName>,
    /// How often this stage may be attempted before the task is held; at least 1.
    pub attempts: u32,
    /// True where the branch is landed on the default branch before the producer works.
    #[serde(default)]
    pub merges: bool,
    /// True where the producer may change any file; else only the task's artifact folder.
    #[serde(default)]
    pub writes_code: bool,
    /// What a worker must have to work it; empty means any worker.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub labels: BTreeSet<Label>,
}

/// Who works a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "name", rename_all = "snake_case")]
pub enum Producer {
    /// An LLM agent in this role.
    Agent(AgentName),
    /// Deterministic code of this name.
    Runner(AgentName),
    /// A person approves.
    Human,
    /// Nobody beyond the merge gate.
    MergeOnly,
}

/// What a failed verdict leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "to", rename_all = "snake_case")]
pub enum OnFail {
    /// The same stage again.
    Retry,
    /// Back to an earlier stage.
    Bounce(StageName),
    /// The task is parked.
    Hold,
}

/// A stage of the standard pipeline that this pipeline does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The stage.
    pub stage: StageName,
    /// Why, such as `no [staging_runner] command`.
    pub reason: String,
}

impl Pipeline {
    /// The stage of that name.
    pub fn stage(&self, name: &StageName) -> Option<&StageSpec> {
        self.stages.iter().find(|spec| &spec.name == name)
    }

    /// The first stage.
    pub fn first(&self) -> &StageSpec {
        &self.stages[0]
    }

    /// The place of a stage in the order; `None` where it is not part of the pipeline.
    pub fn position(&self, name: &StageName) -> Option<usize> {
        self.stages.iter().position(|spec| &spec.name == name)
    }
}
