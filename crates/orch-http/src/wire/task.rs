//! Tasks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use orch_api::{
    Cost, GateItem, JobItem, LeftOutItem, PauseItem, Progress, QuestionItem, StageItem, StageMark,
    TaskDetail, TaskSummary, Why,
};
use orch_core::ids::{RepoName, TaskKey};
use orch_core::job::{Job, JobState};
use orch_core::pipeline::{Producer, StageSpec};
use orch_core::task::{Task, TaskState};
use orch_core::why::{self, GateView, Standing, WorkersView};
use orch_store::{Freeze, GateResult, LlmCall, PausedChannel, Question, Run};

use super::{llm, run};
use crate::problem::ApiError;
use crate::state::AppState;

/// What a task's state as one word depends on, beside the task and its job.
pub(crate) struct Gates {
    frozen: BTreeMap<RepoName, Freeze>,
    view: GateView,
    channels: Vec<PausedChannel>,
    now: Timestamp,
}

impl Gates {
    pub(crate) fn read(state: &AppState) -> Result<Self, ApiError> {
        let store = state.operator().store();
        let policy = store.gate_policy();
        let repos = store.repos()?.into_iter();
        Ok(Self {
            frozen: repos.filter_map(|repo| Some((repo.info.name, repo.frozen?))).collect(),
            view: GateView { enabled: policy.enabled, width: policy.width, ..GateView::default() },
            channels: store.paused_channels()?,
            now: state.now(),
        })
    }

    /// A task as it stands now.
    pub(crate) fn of(&self, state: &AppState, key: &TaskKey) -> Result<TaskSummary, ApiError> {
        let (task, job) = state.operator().store().standing(key)?;
        Ok(self.summary(&task, job.as_ref()))
    }

    pub(crate) fn summary(&self, task: &Task, job: Option<&Job>) -> TaskSummary {
        let frozen = self.frozen.get(&task.repo);
        let gate = GateView {
            frozen: frozen.map(|freeze| (freeze.at, freeze.reason.clone())),
            ..self.view.clone()
        };
        let workers = WorkersView::default();
        let channel = self.channels.iter().find(|c| c.waiting.contains(&task.key));
        let at = Standing {
            task,
            job,
            gate: &gate,
            workers: &workers,
            paused: channel.map(|channel| &channel.paused),
            cause: None,
            last_verdict: None,
            now: self.now,
        };
        summary(task, why::why(&at).state.word())
    }
}

fn summary(task: &Task, state: &str) -> TaskSummary {
    TaskSummary {
        key: task.key.to_string(),
        repo: task.repo.to_string(),
        title: task.title.clone(),
        status: task.state.status().to_owned(),
        state: state.to_owned(),
        stage: task.progress.stage.to_string(),
        priority: task.priority,
        paused: task.paused.is_some(),
        bounces: task.progress.bounces,
        created_at: task.created_at,
        updated_at: task.updated_at,
    }
}

pub(crate) fn why(why: why::Why) -> Why {
    Why {
        state: why.state.word().to_owned(),
        stage: why.stage.to_string(),
        headline: why.headline,
        reasons: why.reasons,
        next: why.next,
    }
}

/// Everything that is known of one task.
pub(crate) struct Parts {
    pub(crate) task: Task,
    pub(crate) why: why::Why,
    pub(crate) jobs: Vec<Job>,
    pub(crate) runs: Vec<Run>,
    pub(crate) gate_results: Vec<GateResult>,
    pub(crate) llm_calls: Vec<LlmCall>,
    pub(crate) questions: Vec<Question>,
    pub(crate) artifacts: Vec<String>,
    pub(crate) artifacts_error: Option<String>,
}

pub(crate) fn detail(parts: Parts) -> TaskDetail {
    let task = &parts.task;
    let (finished_at, cancel_reason) = match &task.state {
        TaskState::Open => (None, None),
        TaskState::Done { at } => (Some(*at), None),
        TaskState::Cancelled { at, reason } => (Some(*at), Some(reason.clone())),
    };
    let left_out = task.pipeline.left_out.iter();
    TaskDetail {
        summary: summary(task, parts.why.state.word()),
        body: task.body.clone(),
        gate_slot: task.gate_slot,
        pause: task.paused.as_ref().map(|p| PauseItem { at: p.at, reason: p.reason.clone() }),
        finished_at,
        cancel_reason,
        progress: progress(task),
        pipeline: stages(task),
        left_out: left_out
            .map(|out| LeftOutItem { stage: out.stage.to_string(), reason: out.reason.clone() })
            .collect(),
        cost: cost(&parts.runs, &parts.llm_calls),
        questions: parts.questions.into_iter().map(question).collect(),
        llm_calls: parts.llm_calls.into_iter().map(llm::call).collect(),
        runs: parts.runs.iter().map(run::run).collect(),
        jobs: parts.jobs.into_iter().map(job).collect(),
        gate_results: parts.gate_results.iter().map(gate_result).collect(),
        artifacts: parts.artifacts,
        artifacts_error: parts.artifacts_error,
        why: why(parts.why),
    }
}

fn question(asked: Question) -> QuestionItem {
    let (answered_at, answer) = asked.answer.unzip();
    QuestionItem {
        run_id: asked.run_id.to_string(),
        stage: asked.stage.to_string(),
        agent: asked.agent.to_string(),
        question: asked.question,
        asked_at: asked.asked_at,
        answer,
        answered_at,
    }
}

fn progress(task: &Task) -> Progress {
    let progress = &task.progress;
    Progress {
        attempts: progress.attempts,
        bounces: progress.bounces,
        retests: progress.retests,
        branch: task.key.branch(),
        head: progress.head.as_ref().map(ToString::to_string),
        tested: progress.tested.as_ref().map(|tested| tested.commit.to_string()),
        merged: progress.merged.as_ref().map(ToString::to_string),
    }
}

fn stages(task: &Task) -> Vec<StageItem> {
    let done = matches!(task.state, TaskState::Done { .. });
    let here = task.pipeline.position(&task.progress.stage);
    let mark = |index: usize| match here {
        _ if done => StageMark::Passed,
        Some(here) if index < here => StageMark::Passed,
        Some(here) if index == here => StageMark::Current,
        _ => StageMark::Ahead,
    };
    let stages = task.pipeline.stages.iter().enumerate();
    stages.map(|(index, spec)| stage(spec, mark(index))).collect()
}

fn stage(spec: &StageSpec, mark: StageMark) -> StageItem {
    let (kind, producer) = match &spec.producer {
        Producer::Agent(name) => ("agent", Some(name)),
        Producer::Runner(name) => ("runner", Some(name)),
        Producer::Human => ("human", None),
        Producer::MergeOnly => ("merge_only", None),
    };
    StageItem {
        name: spec.name.to_string(),
        mark,
        producer_kind: kind.to_owned(),
        producer: producer.map(ToString::to_string),
        gate: spec.gate.name().to_owned(),
        attempts: spec.attempts,
    }
}

fn job(job: Job) -> JobItem {
    let mut item = JobItem {
        id: job.id.0,
        stage: job.stage.to_string(),
        agent: job.agent.to_string(),
        status: job.state.status().to_owned(),
        reason: None,
        hold_kind: None,
        available_at: None,
        run_id: None,
        worker_id: None,
        pid: None,
        started_at: None,
        finished_at: None,
        claims: job.run_epoch,
        defers: job.defers,
        unknowns: job.unknowns,
        crashes: job.crashes,
        created_at: job.created_at,
    };
    match job.state {
        JobState::Queued { available_at, reason } => {
            item.available_at = Some(available_at);
            item.reason = reason;
        }
        JobState::Running(owner) => {
            item.run_id = Some(owner.run_id.to_string());
            item.worker_id = Some(owner.worker_id.to_string());
            item.pid = owner.process.map(|process| process.pid);
            item.started_at = Some(owner.started_at);
        }
        JobState::Finished { at, reason, .. } => {
            item.finished_at = Some(at);
            item.reason = reason;
        }
        JobState::Held { hold, .. } => {
            item.hold_kind = Some(hold.kind.word().to_owned());
            item.reason = Some(hold.reason);
        }
    }
    item
}

fn gate_result(result: &GateResult) -> GateItem {
    GateItem {
        run_id: result.run_id.to_string(),
        stage: result.stage.to_string(),
        gate: result.gate.name().to_owned(),
        verdict: result.verdict.word().to_owned(),
        reasons: result.verdict.lines(),
        revision: result.revision.as_ref().map(ToString::to_string),
        at: result.at,
    }
}

/// A run's own consumption stands with the run, what was started beside it with its call.
fn cost(runs: &[Run], calls: &[LlmCall]) -> Cost {
    let mut cost = Cost { runs: runs.len() as u64, ..Cost::default() };
    for run in runs {
        let used = run::usage(run);
        cost.run_time_ms += run::duration_ms(run).unwrap_or_default().unsigned_abs();
        cost.usage.input_tokens = cost.usage.input_tokens.saturating_add(used.input_tokens);
        cost.usage.output_tokens = cost.usage.output_tokens.saturating_add(used.output_tokens);
        cost.usage.cost_micros = cost.usage.cost_micros.saturating_add(used.cost_micros);
    }
    for call in calls.iter().filter(|call| call.call_id != call.run_id) {
        let usage = &mut cost.usage;
        usage.input_tokens = usage.input_tokens.saturating_add(call.input_tokens);
        usage.output_tokens = usage.output_tokens.saturating_add(call.output_tokens);
        usage.cost_micros = usage.cost_micros.saturating_add(call.cost_micros);
    }
    cost
}
