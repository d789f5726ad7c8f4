//! Is every operation there as a whole or not at all? Rows and the record of events say the same
//! thing in two places, written in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use orch_core::event::EventKind;
use orch_core::ids::{JobId, RepoName, RunId, TaskKey};
use orch_core::job::JobState;
use orch_core::outcome::Outcome;

use super::found::Found;

/// Where rows and events, or rows and rows, do not agree.
pub(super) fn halves(found: &Found) -> Vec<String> {
    let mut faults = Vec::new();
    let mut demand = |holds: bool, what: String| {
        if !holds {
            faults.push(what);
        }
    };
    let events = Said::read(found);
    for key in found.tasks.keys().chain(events.created.keys()).collect::<BTreeSet<_>>() {
        let (row, said) = (found.tasks.contains_key(key), events.created.get(key));
        demand(row && said == Some(&1), format!("{key}: row {row}, created {said:?} times"));
    }
    for run in found.runs.keys().chain(&events.started).collect::<BTreeSet<_>>() {
        let (row, said) = (found.runs.contains_key(run), events.started.contains(run));
        demand(row && said, format!("run {run}: row {row}, event {said}"));
    }
    for task in found.tasks.values().filter(|task| task.state.is_open()) {
        let (row, said) = (task.paused.is_some(), events.paused.contains(&task.key));
        demand(row == said, format!("{}: paused by its row {row}, by events {said}", task.key));
    }
    for (name, repo) in &found.repos {
        let (row, said) = (repo.frozen.is_some(), events.frozen.contains(name));
        demand(row == said, format!("{name}: frozen by its row {row}, by events {said}"));
        let numbers = found.tasks.values().filter(|task| task.repo == *name);
        let numbers: BTreeSet<usize> = numbers.map(|task| task.key.number() as usize).collect();
        let gapless = numbers.iter().copied().eq(1..=numbers.len());
        demand(gapless, format!("{name}: its tasks' numbers have gaps: {numbers:?}"));
    }
    let mut runs_of: BTreeMap<JobId, u64> = BTreeMap::new();
    for run in found.runs.values() {
        *runs_of.entry(run.job_id).or_default() += 1;
        let owns = found.jobs.get(&run.job_id).is_some_and(|job| match &job.state {
            JobState::Running(owner) => owner.run_id == run.run_id,
            _ => false,
        });
        let open = run.end.is_none();
        demand(owns == open, format!("run {}: owns its job {owns}, open {open}", run.run_id));
        let ran = matches!(run.end, Some((_, Outcome::SuiteRan { .. })));
        let judged = found.judged.contains(&run.run_id);
        demand(ran == judged, format!("run {}: ran to its end {ran}, judged {judged}", run.run_id));
    }
    for job in found.jobs.values() {
        let runs = runs_of.get(&job.id).copied().unwrap_or_default();
        let epoch = job.run_epoch;
        demand(runs == epoch, format!("job {}: {runs} runs at epoch {epoch}", job.id));
    }
    faults
}

/// What the record of events says.
#[derive(Default)]
struct Said {
    created: BTreeMap<TaskKey, usize>,
    started: BTreeSet<RunId>,
    paused: BTreeSet<TaskKey>,
    frozen: BTreeSet<RepoName>,
}

impl Said {
    fn read(found: &Found) -> Self {
        let mut said = Self::default();
        for event in &found.events {
            let what = &event.what;
            match (what.kind, &what.task, &what.repo, &what.run_id) {
                (EventKind::TaskCreated, Some(task), ..) => {
                    *said.created.entry(task.clone()).or_default() += 1;
                }
                (EventKind::TaskPaused, Some(task), ..) => {
                    said.paused.insert(task.clone());
                }
                (EventKind::TaskResumed, Some(task), ..) => {
                    said.paused.remove(task);
                }
                (EventKind::RepoFrozen, _, Some(repo), _) => {
                    said.frozen.insert(repo.clone());
                }
                (EventKind::RepoUnfrozen, _, Some(repo), _) => {
                    said.frozen.remove(repo);
                }
                (EventKind::RunStarted, _, _, Some(run)) => {
                    said.started.insert(run.clone());
                }
                _ => {}
            }
        }
        said
    }
}
