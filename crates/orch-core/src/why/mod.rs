//! Why a task stands where it stands, and what will move it next (S10): the whole chain of
//! reasons, derived from the records alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::breaker::{Cause, CauseId, Paused};
use crate::channel::Pause;
use crate::ids::{Label, RepoName, StageName, TaskKey};
use crate::job::{Hold, HoldKind, Job, JobState, Ownership};
use crate::task::{Task, TaskState};

/// What there is to know about a task's standing.
#[derive(Debug, Clone)]
pub struct Standing<'a> {
    /// The task.
    pub task: &'a Task,
    /// Its active job; `None` for a finished task.
    pub job: Option<&'a Job>,
    /// The serial gate of its repository.
    pub gate: &'a GateView,
    /// The workers that could take it.
    pub workers: &'a WorkersView,
    /// The pause of the channel that its queued job goes through; `None` where it is not paused.
    pub paused: Option<&'a Paused>,
    /// The fault that holds it, and others; `None` where none is known.
    pub cause: Option<&'a Cause>,
    /// What its last gate said, as one line; `None` before the first.
    pub last_verdict: Option<&'a str>,
    /// The moment of the question.
    pub now: Timestamp,
}

/// The serial gate of one repository, as one task sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateView {
    /// Whether the gate is on.
    pub enabled: bool,
    /// Slots per repository.
    pub width: u32,
    /// Since when and why the repository is frozen.
    pub frozen: Option<(Timestamp, Option<String>)>,
    /// Tasks inside.
    pub holders: Vec<TaskKey>,
    /// Tasks that wait outside before this one, in order.
    pub ahead: Vec<TaskKey>,
}

/// The workers, as one task sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkersView {
    /// Workers that reported lately.
    pub alive: u32,
    /// Runs they can have at once.
    pub capacity: u32,
    /// Runs they have.
    pub running: u32,
    /// Of the labels that the stage asks for, those that no living worker has all of; empty where
    /// one has.
    pub lacking: BTreeSet<Label>,
    /// What its job could go through, where all of it is shut: by name, until when and why; empty
    /// where something is open.
    pub shut: Vec<(String, Pause)>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// What it is doing, as one word.
    pub state: WhyState,
    /// The stage it stands at.
    pub stage: StageName,
    /// One line for people.
    pub headline: String,
    /// The chain, from the nearest cause to the farthest.
    pub reasons: Vec<String>,
    /// What moves it next.
    pub next: String,
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyState {
    /// A worker works on it.
    Running,
    /// Its job may be claimed and waits for a free worker.
    Ready,
    /// Its job waits for its time after an infrastructure fault.
    Deferred,
    /// What its job goes through is paused for all tasks, because of a shared fault.
    ChannelPaused,
    /// It waits at the serial gate behind others.
    WaitingAtGate,
    /// Its repository is frozen and it is outside.
    Frozen,
    /// It steps aside.
    Paused,
    /// It is parked.
    Held,
    /// A human has to say something.
    WaitingForHuman,
    /// It reached its end.
    Done,
    /// It was cancelled.
    Cancelled,
    /// Its records contradict each other; the reconciler has to mend them.
    Inconsistent,
}

impl WhyState {
    /// The state as one word, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ready => "ready",
            Self::Deferred => "deferred",
            Self::ChannelPaused => "channel_paused",
            Self::WaitingAtGate => "waiting_at_gate",
            Self::Frozen => "frozen",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::WaitingForHuman => "waiting_for_human",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Inconsistent => "inconsistent",
        }
    }
}

/// Derives the answer. Total: every state of a task has one.
pub fn why(at: &Standing<'_>) -> Why {
    let task = at.task;
    let (state, headline, mut reasons, next) = match (&task.state, at.job.map(|j| (j, &j.state))) {
        (TaskState::Done { at }, _) => done(task, *at),
        (TaskState::Cancelled { at, reason }, _) => (
            WhyState::Cancelled,
            format!("cancelled at {at}"),
            vec![format!("reason given: {reason}")],
            "nothing: it is over".to_owned(),
        ),
        (TaskState::Open, None | Some((_, JobState::Finished { .. }))) => inconsistent(),
        (TaskState::Open, Some((job, JobState::Running(owner)))) => running(at, job, owner),
        (TaskState::Open, Some((job, JobState::Held { hold, since }))) => {
            held(at, job, hold, *since)
        }
        (TaskState::Open, Some((job, JobState::Queued { available_at, reason }))) => {
            queued(at, job, *available_at, reason.as_deref())
        }
    };
    reasons.extend(history(at));
    Why { state, stage: task.progress.stage.clone(), headline, reasons, next }
}

type Answer = (WhyState, String, Vec<String>, String);

fn done(task: &Task, when: Timestamp) -> Answer {
    let landed = match &task.progress.merged {
        Some(commit) => format!("its branch landed as {}", commit.short()),
        None => "its pipeline has no merging stage; nothing was landed".to_owned(),
    };
    (WhyState::Done, format!("done since {when}"), vec![landed], "nothing: it is over".to_owned())
}

fn inconsistent() -> Answer {
    (
        WhyState::Inconsistent,
        "an open task without an active job".to_owned(),
        vec![
            "this state is never written by the service: the database was changed by hand"
                .to_owned(),
        ],
        "the reconciler gives it a job on its next tick".to_owned(),
    )
}

fn running(at: &Standing<'_>, job: &Job, owner: &Ownership) -> Answer {
    let process = match &owner.process {
        Some(process) => format!("its supervisor is process {}", process.pid),
        None => "its process is being started".to_owned(),
    };
    let mut reasons = vec![
        format!("run {} on worker {} since {}", owner.run_id, owner.worker_id, owner.started_at),
        process,
    ];
    if at.task.paused.is_some() {
        reasons.push(
            "it was paused while running: this run goes on to its end, then the task steps aside"
                .to_owned(),
        );
    }
    (
        WhyState::Running,
        format!("{} works on {}", job.agent, job.stage),
        reasons,
        format!("the run's end, then {}", gate_of(at.task, job)),
    )
}

fn gate_of(task: &Task, job: &Job) -> String {
    let gate = task.pipeline.stage(&job.stage).map_or("its gate", |stage| stage.gate.name());
    format!("{gate} decides")
}

fn held(at: &Standing<'_>, job: &Job, hold: &Hold, since: Timestamp) -> Answer {
    let key = &at.task.key;
    let mut reasons = vec![hold.reason.clone()];
    if !matches!(hold.kind, HoldKind::Approval | HoldKind::Question) {
        reasons.push("nothing was rolled back and no retry was burnt".to_owned());
    }
    let (state, next) = match hold.kind {
        HoldKind::Approval => {
            (WhyState::WaitingForHuman, format!("a person: `orch task approve {key}`"))
        }
        HoldKind::Question => {
            (WhyState::WaitingForHuman, format!("a person: `orch task answer {key} TEXT`"))
        }
        HoldKind::Infra => {
            let all = at.cause.and_then(|cause| shared(key, cause, &mut reasons));
            let all = all
                .map(|id| format!(", or `orch task retry --cause {id}` for all"))
                .unwrap_or_default();
            (WhyState::Held, format!("mend the fault, then `orch task retry {key}`{all}"))
        }
        HoldKind::Config => {
            (WhyState::Held, format!("mend orch.toml, then `orch task retry {key}`"))
        }
        HoldKind::Deploy => {
            (WhyState::Held, format!("look at the deploy, then `orch task retry {key}`"))
        }
        HoldKind::Spend => (
            WhyState::Held,
            format!(
                "money: a new day, a higher budget, or `orch task retry {key} --raise-budget USD`"
            ),
        ),
        HoldKind::Budget => (
            WhyState::Held,
            format!(
                "`orch task answer {key} TEXT` with advice, or `orch task retry {key}` for a fresh budget"
            ),
        ),
    };
    (state, format!("{} at {} since {since}", held_word(hold.kind), job.stage), reasons, next)
}

/// Says which other tasks the same fault holds; its name, where there are any.
fn shared(key: &TaskKey, cause: &Cause, reasons: &mut Vec<String>) -> Option<CauseId> {
    let others: Vec<TaskKey> =
        cause.held.iter().map(|held| &held.key).filter(|other| *other != key).cloned().collect();
    if others.is_empty() {
        return None;
    }
    let id = cause.signature.cause();
    reasons.push(format!("the same fault holds {} (cause {id})", list(&others)));
    Some(id)
}

fn held_word(kind: HoldKind) -> &'static str {
    match kind {
        HoldKind::Approval => "waits for approval",
        HoldKind::Question => "waits for an answer",
        HoldKind::Infra
        | HoldKind::Config
        | HoldKind::Deploy
        | HoldKind::Budget
        | HoldKind::Spend => "held",
    }
}

fn queued(at: &Standing<'_>, job: &Job, available_at: Timestamp, reason: Option<&str>) -> Answer {
    let key = &at.task.key;
    let because: Vec<String> =
        reason.map(|r| format!("it is in the queue because: {r}")).into_iter().collect();
    if let Some(pause) = &at.task.paused {
        let given = pause.reason.as_deref().unwrap_or("no reason given");
        let mut reasons =
            vec![format!("paused: {given}"), "its successors go ahead meanwhile".to_owned()];
        reasons.extend(because);
        let next = format!("`orch gate resume {key}` puts it back in its place");
        return (WhyState::Paused, format!("paused since {}", pause.at), reasons, next);
    }
    if at.task.gate_slot.is_none() {
        return outside(at, because);
    }
    if let Some(paused) = at.paused {
        return channel_paused(at, job, paused, because);
    }
    if available_at > at.now {
        let next = format!("its time: {available_at} (`orch task retry {key}` makes it due now)");
        return (
            WhyState::Deferred,
            format!("{} deferred until {available_at}", job.stage),
            because,
            next,
        );
    }
    if let Some((_, first)) = at.workers.shut.iter().min_by_key(|(_, pause)| pause.until) {
        let because = at.workers.shut.iter().map(|(name, pause)| {
            format!("{name} is paused until {}: {}", pause.until, pause.reason)
        });
        let headline = format!("{} waits for {}", job.stage, shut_names(at.workers));
        let next = format!("{}, or another way set as fallback in [agents.*]", first.until);
        return (WhyState::Deferred, headline, because.collect(), next);
    }
    let (headline, next) = free_worker(at.workers);
    (WhyState::Ready, format!("{} is next, {headline}", job.stage), because, next)
}

fn shut_names(workers: &WorkersView) -> String {
    let names: Vec<&str> = workers.shut.iter().map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

fn channel_paused(at: &Standing<'_>, job: &Job, paused: &Paused, because: Vec<String>) -> Answer {
    let (key, what) = (&at.task.key, paused.signature.channel.words());
    let mut reasons = vec![
        format!("the same fault was met again and again: {}", paused.said),
        "it waits with the others and burns no budget".to_owned(),
    ];
    reasons.extend(because);
    let next = match &paused.probing {
        Some(probe) => format!("the end of {probe}'s run, which is let through to see"),
        None => format!(
            "the next probe at {}; mended already, `orch task retry {key}` probes now",
            paused.probe_at
        ),
    };
    let headline = format!("{} waits: {what} is paused since {}", job.stage, paused.since);
    (WhyState::ChannelPaused, headline, reasons, next)
}

fn free_worker(workers: &WorkersView) -> (String, String) {
    if workers.alive == 0 {
        return ("but no worker is alive".to_owned(), "start a worker: `orch serve`".to_owned());
    }
    if !workers.lacking.is_empty() {
        let labels: Vec<&str> = workers.lacking.iter().map(Label::as_str).collect();
        let labels = labels.join(",");
        return (
            format!("but no living worker has the labels {labels}"),
            format!("start one that has: `orch worker --labels {labels}`"),
        );
    }
    if workers.running >= workers.capacity {
        let busy = format!("{} of {} runs are going on", workers.running, workers.capacity);
        return (
            format!("but all workers are busy: {busy}"),
            "the end of one of the runs".to_owned(),
        );
    }
    ("and a worker is free".to_owned(), "a worker claims it within a moment".to_owned())
}

fn outside(at: &Standing<'_>, because: Vec<String>) -> Answer {
    let repo: &RepoName = &at.task.repo;
    if let Some((since, given)) = &at.gate.frozen {
        let given = given.as_deref().unwrap_or("no reason given");
        let mut reasons = vec![
            format!("{repo} is frozen: {given}"),
            "no task of the repository enters".to_owned(),
        ];
        reasons.extend(because);
        let next = format!("`orch gate unfreeze {repo}`");
        return (WhyState::Frozen, format!("{repo} is frozen since {since}"), reasons, next);
    }
    let mut reasons = Vec::new();
    if !at.gate.holders.is_empty() {
        let holders = list(&at.gate.holders);
        reasons
            .push(format!("{holders} inside the serial gate of {repo} (width {})", at.gate.width));
    }
    if !at.gate.ahead.is_empty() {
        reasons.push(format!("before it in the line: {}", list(&at.gate.ahead)));
    }
    reasons.extend(because);
    let first = at.gate.ahead.first().or(at.gate.holders.first());
    let next = match first {
        Some(key) => format!("the end of {key}, or its pause (`orch gate pause {key}`)"),
        None => "the next tick of the serial gate admits it".to_owned(),
    };
    let headline = format!(
        "waits at the serial gate of {repo}, {} ahead",
        at.gate.ahead.len() + at.gate.holders.len()
    );
    (WhyState::WaitingAtGate, headline, reasons, next)
}

/// At most eight keys, so that a line stays a line.
fn list(keys: &[TaskKey]) -> String {
    let shown: Vec<String> = keys.iter().take(8).map(ToString::to_string).collect();
    let more = keys.len().saturating_sub(8);
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

fn history(at: &Standing<'_>) -> Vec<String> {
    let progress = &at.task.progress;
    let mut lines: Vec<String> =
        at.last_verdict.map(|v| format!("last gate: {v}")).into_iter().collect();
    let counters = [
        (progress.bounces, "bounces"),
        (progress.attempts, "failed attempts at this stage"),
        (progress.retests, "tests again"),
    ];
    let counted: Vec<String> =
        counters.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    if !counted.is_empty() {
        lines.push(format!("so far: {}", counted.join(", ")));
    }
    if let Some(defers) = at.job.map(|j| j.defers).filter(|n| *n > 0) {
        let times = if defers == 1 { "once".to_owned() } else { format!("{defers} times") };
        lines.push(format!("deferred {times} for infrastructure at this stage"));
    }
    if at.job.is_some_and(|j| j.unknowns > 0) {
        lines.push("tried again because nobody could tell what failed".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests;
