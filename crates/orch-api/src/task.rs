//! Tasks on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::llm::LlmCallItem;
use crate::run::{RunDetail, Usage};

/// A task in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its key, such as `ORCH-126`.
    pub key: String,
    /// The repository it is about.
    pub repo: String,
    /// One line.
    pub title: String,
    /// `open`, `done` or `cancelled`.
    pub status: String,
    /// What it is doing: `running`, `ready`, `deferred`, `waiting_at_gate`, `frozen`, `paused`,
    /// `held`, `waiting_for_human`, `done`, `cancelled` or `inconsistent`.
    pub state: String,
    /// Where it stands, or stood last.
    pub stage: String,
    /// Higher goes first.
    pub priority: i32,
    /// True while it is told to step aside at the serial gate.
    pub paused: bool,
    /// How often it went back because its code was found wanting.
    pub bounces: u32,
    /// When it was submitted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// `GET /tasks/{key}`: everything about one task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDetail {
    /// What a list says of it.
    #[serde(flatten)]
    pub summary: TaskSummary,
    /// The request in full; may be empty.
    pub body: String,
    /// Its slot at the serial gate; `None` while it waits outside.
    pub gate_slot: Option<u32>,
    /// Since when and why it steps aside; `None` where it does not.
    pub pause: Option<PauseItem>,
    /// When it ended; `None` while it is open.
    pub finished_at: Option<Timestamp>,
    /// Why it was cancelled, in the words given.
    pub cancel_reason: Option<String>,
    /// Why it stands where it stands.
    pub why: Why,
    /// How far it has come.
    pub progress: Progress,
    /// The stages of its pipeline, in order.
    pub pipeline: Vec<StageItem>,
    /// Stages of the standard pipeline that it does without.
    pub left_out: Vec<LeftOutItem>,
    /// Every job, oldest first.
    pub jobs: Vec<JobItem>,
    /// Every run, oldest first.
    pub runs: Vec<RunDetail>,
    /// What gates said, oldest first.
    pub gate_results: Vec<GateItem>,
    /// Its artifacts on its branch, by path.
    pub artifacts: Vec<String>,
    /// Why the artifacts could not be listed; `None` where they could.
    pub artifacts_error: Option<String>,
    /// What it has cost so far.
    pub cost: Cost,
    /// What agents asked, oldest first.
    #[serde(default)]
    pub questions: Vec<QuestionItem>,
    /// Every start of a language model, oldest first.
    #[serde(default)]
    pub llm_calls: Vec<LlmCallItem>,
}

/// `GET /tasks/{key}/why`: why a task stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// What it is doing, as in [`TaskSummary::state`].
    pub state: String,
    /// The stage it stands at.
    pub stage: String,
    /// One line for people.
    pub headline: String,
    /// The chain, from the nearest cause to the farthest.
    pub reasons: Vec<String>,
    /// What moves it next.
    pub next: String,
}

/// Since when and why a task steps aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseItem {
    /// Since when.
    pub at: Timestamp,
    /// Why, in the words given.
    pub reason: Option<String>,
}

/// How far a task has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Failed attempts at the present stage since the task entered it.
    pub attempts: u32,
    /// How often it went back because its code was found wanting.
    pub bounces: u32,
    /// How often it was tested again because `main` had moved.
    pub retests: u32,
    /// Its branch.
    pub branch: String,
    /// The tip of its branch as last pushed.
    pub head: Option<String>,
    /// The revision that was tested last with a pass.
    pub tested: Option<String>,
    /// What landed on the default branch.
    pub merged: Option<String>,
}

/// One stage of a task's pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageItem {
    /// Its name.
    pub name: String,
    /// Whether the task has it behind it.
    pub mark: StageMark,
    /// `agent`, `runner`, `human` or `merge_only`.
    pub producer_kind: String,
    /// Who works it; `None` where nobody does.
    pub producer: Option<String>,
    /// The check that closes it.
    pub gate: String,
    /// How often it may be attempted before the task is held.
    pub attempts: u32,
}

/// Where a stage lies, seen from where the task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageMark {
    /// Behind it.
    Passed,
    /// The task stands here, or stood here when it was cancelled.
    Current,
    /// Before it.
    Ahead,
}

/// A stage of the standard pipeline that a pipeline does without.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOutItem {
    /// The stage.
    pub stage: String,
    /// Why.
    pub reason: String,
}

/// One queued attempt at a stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobItem {
    /// Its number.
    pub id: i64,
    /// The stage it attempts.
    pub stage: String,
    /// Who works it.
    pub agent: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled` or `held`.
    pub status: String,
    /// Why it is in that status, where there is something to say.
    pub reason: Option<String>,
    /// What a held job waits for, such as `infra`; `None` for others.
    pub hold_kind: Option<String>,
    /// Not to be claimed before this moment; `None` unless queued.
    pub available_at: Option<Timestamp>,
    /// The execution; `None` unless running.
    pub run_id: Option<String>,
    /// The worker; `None` unless running.
    pub worker_id: Option<String>,
    /// The supervisor's process id; `None` unless running and spawned.
    pub pid: Option<u32>,
    /// When it was claimed; `None` unless running.
    pub started_at: Option<Timestamp>,
    /// When it ended; `None` before.
    pub finished_at: Option<Timestamp>,
    /// Claims so far.
    pub claims: u64,
    /// How often infrastructure that failed for a moment sent it back to the queue.
    pub defers: u32,
    /// How often an end of which nobody could tell what failed sent it back.
    #[serde(default)]
    pub unknowns: u32,
    /// How often its run vanished.
    pub crashes: u32,
    /// When it was enqueued.
    pub created_at: Timestamp,
}

/// What a gate said of a run's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateItem {
    /// The run that was judged.
    pub run_id: String,
    /// The stage.
    pub stage: String,
    /// The gate, such as `check_tests_passed`.
    pub gate: String,
    /// `pass`, `fail` or `refused`.
    pub verdict: String,
    /// What was seen or found wanting, one line each.
    pub reasons: Vec<String>,
    /// The revision that was judged, where the gate looks at one.
    pub revision: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A question of an agent's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionItem {
    /// The run that asked.
    pub run_id: String,
    /// The stage.
    pub stage: String,
    /// Who asked.
    pub agent: String,
    /// What it asked: words from outside.
    pub question: String,
    /// When.
    pub asked_at: Timestamp,
    /// The answer; `None` while nobody answered.
    pub answer: Option<String>,
    /// When it was answered.
    pub answered_at: Option<Timestamp>,
}

/// What a task has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Runs, finished or not.
    pub runs: u64,
    /// The sum of finished runs' time, in milliseconds.
    pub run_time_ms: u64,
    /// What all runs consumed.
    #[serde(flatten)]
    pub usage: Usage,
}
