//! The independent judge: is this whole state lawful? Run after every simulated step, by
//! `orch db check`, and in tests; it shares no code with what it judges.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::ids::{JobId, RepoName, RunId, TaskId, TaskKey};
use crate::job::{Job, JobState};
use crate::task::{Task, TaskState};

/// The whole state, as read from the store in one transaction.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Every task.
    pub tasks: Vec<Task>,
    /// Every job.
    pub jobs: Vec<Job>,
    /// Slots per repository; `None` while the serial gate is off.
    pub gate_width: Option<u32>,
}

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The law, as one word.
    pub law: &'static str,
    /// What breaks it.
    pub what: String,
}

/// Judges the whole state; an empty answer is a lawful state.
pub fn audit(state: &State) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut active: BTreeMap<TaskId, Vec<&Job>> = BTreeMap::new();
    for job in &state.jobs {
        if !matches!(job.state, JobState::Finished { .. }) {
            active.entry(job.task_id).or_default().push(job);
        }
    }
    for task in &state.tasks {
        let jobs = active.get(&task.id).map_or(&[][..], Vec::as_slice);
        judge_task(task, jobs, &mut found);
    }
    judge_owners(&state.jobs, &mut found);
    judge_slots(state, &mut found);
    found
}

fn judge_task(task: &Task, active: &[&Job], found: &mut Vec<Violation>) {
    let key = &task.key;
    let mut breaks = |law, what: String| found.push(Violation { law, what });
    match (&task.state, active) {
        (TaskState::Open, []) => {
            breaks("no_task_is_lost", format!("{key} is open and has no active job"));
        }
        (TaskState::Open, [job]) => {
            if job.stage != task.progress.stage {
                let what = format!(
                    "{key} stands at {} and its job is at {}",
                    task.progress.stage, job.stage
                );
                breaks("job_and_task_agree", what);
            }
            if let JobState::Held { hold, .. } = &job.state
                && hold.reason.trim().is_empty()
            {
                breaks("every_wait_has_a_reason", format!("{key} is held without a reason"));
            }
        }
        (TaskState::Open, jobs) => {
            breaks("one_active_job", format!("{key} has {} active jobs", jobs.len()));
        }
        (_, []) => {}
        (_, _) => breaks("the_end_is_the_end", format!("{key} is over and has an active job")),
    }
    if !task.state.is_open() && task.gate_slot.is_some() {
        breaks(
            "the_end_is_the_end",
            format!("{key} is over and keeps its slot at the serial gate"),
        );
    }
    if task.pipeline.stage(&task.progress.stage).is_none() {
        breaks(
            "stages_exist",
            format!("{key} stands at {}, which its pipeline lacks", task.progress.stage),
        );
    }
    if matches!(task.state, TaskState::Done { .. })
        && task.progress.merged.is_none()
        && task.pipeline.stages.iter().any(|stage| stage.merges)
    {
        breaks("done_means_landed", format!("{key} is done and nothing of it has landed"));
    }
}

fn judge_owners(jobs: &[Job], found: &mut Vec<Violation>) {
    let mut runs: BTreeMap<&RunId, JobId> = BTreeMap::new();
    for job in jobs {
        let JobState::Running(owner) = &job.state else { continue };
        if owner.run_epoch != job.run_epoch {
            let what = format!(
                "job {} is at epoch {} and its owner at {}",
                job.id, job.run_epoch, owner.run_epoch
            );
            found.push(Violation { law: "owner_has_the_epoch", what });
        }
        if let Some(other) = runs.insert(&owner.run_id, job.id) {
            let what = format!("run {} owns the jobs {other} and {}", owner.run_id, job.id);
            found.push(Violation { law: "one_job_per_run", what });
        }
    }
}

fn judge_slots(state: &State, found: &mut Vec<Violation>) {
    let mut slots: BTreeMap<&RepoName, BTreeSet<u32>> = BTreeMap::new();
    let mut keys: BTreeSet<&TaskKey> = BTreeSet::new();
    for task in &state.tasks {
        if !keys.insert(&task.key) {
            found.push(Violation {
                law: "keys_are_unique",
                what: format!("{} stands twice", task.key),
            });
        }
        let Some(slot) = task.gate_slot else { continue };
        if !slots.entry(&task.repo).or_default().insert(slot) {
            let what = format!("slot {slot} of {} is taken twice", task.repo);
            found.push(Violation { law: "one_task_per_slot", what });
        }
        if task.paused.is_some() {
            let what = format!("{} is paused and keeps its slot", task.key);
            found.push(Violation { law: "pause_blocks_nobody", what });
        }
    }
}

#[cfg(test)]
mod tests;
