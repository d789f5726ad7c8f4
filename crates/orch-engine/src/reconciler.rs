//! The reconciler (S4): compares what the records say with what is true, and mends each
//! difference. A held task is left as it is.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::Ordering;

use orch_core::decide::first_job;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{RunId, TaskKey};
use orch_core::task::Task;
use orch_process::{Observation, RunDir};
use orch_store::StoreError;

use crate::breakers;
use crate::engine::Engine;
use crate::error::chain;
use crate::money;

/// One look at everything; never raises, the next tick looks again.
pub fn tick(engine: &Engine) {
    if let Err(error) = engine.store.readmit(engine.clock.now()) {
        tracing::error!(error = chain(&error), "the serial gates could not be looked at");
    }
    if let Err(error) = engine.store.abandon_deploys(engine.clock.now()) {
        tracing::error!(error = chain(&error), "deploys of tasks that are over could not be ended");
    }
    breakers::look_again(engine);
    tasks_without_a_job(engine);
    worktrees_without_a_task(engine);
    sessions_without_a_task(engine);
    runs_without_a_job(engine);
    money::release(engine);
}

fn mended(engine: &Engine, task: Option<&Task>, message: String) {
    engine.stats.reconciled.fetch_add(1, Ordering::Relaxed);
    tracing::warn!(reconciler.mended = message, "a difference was mended");
    let event = NewEvent {
        kind: EventKind::Reconciled,
        task: task.map(|task| task.key.clone()),
        repo: task.map(|task| task.repo.clone()),
        run_id: None,
        message,
        data: serde_json::json!({}),
    };
    if let Err(error) = engine.store.record_events(engine.clock.now(), &[event]) {
        tracing::error!(error = chain(&error), "a mended difference could not be recorded");
    }
}

/// A task that is open and has no job was edited by hand; it gets the first job of its stage.
fn tasks_without_a_job(engine: &Engine) {
    let lost = match engine.store.tasks_without_a_job() {
        Ok(lost) => lost,
        Err(error) => {
            return tracing::error!(error = chain(&error), "open tasks could not be read");
        }
    };
    for task in lost {
        let now = engine.clock.now();
        let Some(stage) = task.pipeline.stage(&task.progress.stage) else {
            tracing::error!(task.key = %task.key, stage = %task.progress.stage, "the task stands at a stage that its pipeline lacks");
            continue;
        };
        let reason = Some("it was open without a job".to_owned());
        let job = first_job(stage, task.progress.merged.is_some(), now, reason);
        match engine.store.enqueue(now, &task.key, &job) {
            Ok(_) => mended(
                engine,
                Some(&task),
                format!("{} was open without a job at {}: enqueued", task.key, stage.name),
            ),
            Err(error) => {
                tracing::error!(task.key = %task.key, error = chain(&error), "a lost task could not be enqueued");
            }
        }
    }
}

/// A worktree whose task is over, or unknown, is removed.
fn worktrees_without_a_task(engine: &Engine) {
    for name in names(&engine.home.worktrees()) {
        let Ok(key) = name.parse::<TaskKey>() else { continue };
        match engine.store.task(&key) {
            Ok(task) if task.state.is_open() => {}
            Ok(task) => {
                if engine.remove_worktree(&task) {
                    mended(
                        engine,
                        Some(&task),
                        format!("the worktree of {key}, which is over, was removed"),
                    );
                }
            }
            // A worktree of nobody may hold somebody's work: it is reported, not removed.
            Err(StoreError::NotFound { .. }) => {
                tracing::warn!(worktree = name, "a worktree belongs to no task of this database");
            }
            Err(error) => {
                tracing::error!(error = chain(&error), "a worktree's task could not be read");
            }
        }
    }
}

/// The sessions of a task that is over go without a word: a cancelled task leaves them behind.
fn sessions_without_a_task(engine: &Engine) {
    for name in names(&engine.home.sessions()) {
        let Ok(key) = name.parse::<TaskKey>() else { continue };
        if engine.store.task(&key).is_ok_and(|task| !task.state.is_open()) {
            engine.forget_sessions(&key);
        }
    }
}

/// A run that lives although its job is not its own any more is ended.
fn runs_without_a_job(engine: &Engine) {
    let running: HashSet<RunId> = match engine.store.running(None) {
        Ok(running) => running.into_iter().filter_map(|(job, _)| owner_of(&job)).collect(),
        Err(error) => {
            return tracing::error!(error = chain(&error), "the running jobs could not be read");
        }
    };
    for name in names(&engine.home.path().join("runs")) {
        let Ok(run) = RunId::new(name) else { continue };
        let driven = engine.active.contains(&run) || engine.beside.contains(&run);
        if running.contains(&run) || driven {
            continue;
        }
        let dir = RunDir::new(engine.home.run(&run));
        // An exit on disk is the common case and costs one look.
        if dir.exit().exists() {
            continue;
        }
        if let Observation::Running(_) | Observation::Starting = orch_process::observe(&dir) {
            engine.end_run(&run);
            mended(engine, None, format!("the run {run} lived on without a job and was ended"));
        }
    }
}

fn owner_of(job: &orch_core::job::Job) -> Option<RunId> {
    match &job.state {
        orch_core::job::JobState::Running(owner) => Some(owner.run_id.clone()),
        _ => None,
    }
}

fn names(dir: &std::path::Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect()
}
