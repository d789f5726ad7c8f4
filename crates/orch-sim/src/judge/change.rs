//! What changed in a step, against what really happened in it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use orch_core::audit::State;
use orch_core::ids::{JobId, RepoName, TaskKey};
use orch_core::job::{Job, JobState};
use orch_core::task::{Task, TaskState};

use super::Violation;
use crate::world::{Fact, World};

/// A frozen repository, since when and why.
pub type Frozen = (RepoName, Timestamp, Option<String>);

pub fn judge(
    world: &World,
    before: &State,
    after: &State,
    frozen: &[Frozen],
    found: &mut Vec<Violation>,
) {
    let old: BTreeMap<&TaskKey, &Task> = before.tasks.iter().map(|t| (&t.key, t)).collect();
    let jobs: BTreeMap<JobId, &Job> = before.jobs.iter().map(|job| (job.id, job)).collect();
    for task in &after.tasks {
        if let Some(was) = old.get(&task.key) {
            progress(world, was, task, found);
            admission(was, task, after, frozen, found);
        }
    }
    if after.tasks.len() < before.tasks.len() {
        found.push(Violation::new("no_task_is_lost", "a task is gone from the records"));
    }
    if after.tasks.len() as u64 > world.truth.submitted {
        let what = format!("{} tasks of {}", after.tasks.len(), world.truth.submitted);
        found.push(Violation::new("a_request_makes_one_task", what));
    }
    writes(world, &jobs, found);
    for job in &after.jobs {
        let Some(was) = jobs.get(&job.id) else { continue };
        if job.run_epoch < was.run_epoch {
            found.push(Violation::new("epochs_never_fall", format!("job {}", job.id)));
        }
    }
    dead(world, found);
}

fn happened(world: &World, key: &TaskKey, facts: &[Fact]) -> bool {
    world.truth.facts.iter().any(|(about, fact)| about == key && facts.contains(fact))
}

fn progress(world: &World, was: &Task, is: &Task, found: &mut Vec<Violation>) {
    let key = &is.key;
    let (old, new) = (&was.progress, &is.progress);
    let mut breaks = |law: &str, what: String| found.push(Violation::new(law, what));
    if new.attempts > old.attempts && !happened(world, key, &[Fact::Wanting]) {
        let what = format!("{key}: attempts {} → {}", old.attempts, new.attempts);
        breaks("infrastructure_burns_nothing", what);
    }
    if new.bounces > old.bounces && !happened(world, key, &[Fact::Wanting, Fact::Rejected]) {
        let what = format!("{key}: bounces {} → {}", old.bounces, new.bounces);
        breaks("infrastructure_burns_nothing", what);
    }
    if new.retests > old.retests && !happened(world, key, &[Fact::NotTested]) {
        breaks("infrastructure_burns_nothing", format!("{key}: retests without a moved base"));
    }
    let place = |task: &Task| task.pipeline.position(&task.progress.stage);
    let done = matches!(is.state, TaskState::Done { .. });
    let ended = done && was.state.is_open();
    if (place(is) > place(was) || ended)
        && !happened(world, key, &[Fact::Passed, Fact::Landed, Fact::Approved])
    {
        let what = format!("{key}: {} → {} ({})", old.stage, new.stage, is.state.status());
        breaks("only_a_verdict_advances", what);
    }
    if place(is) < place(was)
        && !happened(world, key, &[Fact::Wanting, Fact::Rejected, Fact::NotTested])
    {
        let what = format!("{key}: {} → {}", old.stage, new.stage);
        breaks("nothing_is_rolled_back_for_infrastructure", what);
    }
    if !was.state.is_open() && was.state != is.state {
        breaks("the_end_is_the_end", format!("{key} was over and is {}", is.state.status()));
    }
}

/// Nobody enters a frozen repository, and nobody is passed by.
fn admission(was: &Task, is: &Task, after: &State, frozen: &[Frozen], found: &mut Vec<Violation>) {
    if was.gate_slot.is_some() || is.gate_slot.is_none() {
        return;
    }
    if frozen.iter().any(|(repo, _, _)| repo == &is.repo) {
        let what = format!("{} was admitted while {} is frozen", is.key, is.repo);
        found.push(Violation::new("frozen_lets_nobody_in", what));
    }
    let held = |task: &Task| {
        after
            .jobs
            .iter()
            .any(|job| job.task_id == task.id && matches!(job.state, JobState::Held { .. }))
    };
    let passed = after.tasks.iter().find(|other| {
        other.repo == is.repo
            && other.state.is_open()
            && other.gate_slot.is_none()
            && other.paused.is_none()
            && (-other.priority, other.id) < (-is.priority, is.id)
            && !held(other)
    });
    if let Some(passed) = passed {
        let what = format!("{} entered before {}", is.key, passed.key);
        found.push(Violation::new("first_come_first_in", what));
    }
}

/// A write by a run is accepted only while the run owns the job.
fn writes(world: &World, before: &BTreeMap<JobId, &Job>, found: &mut Vec<Violation>) {
    for fence in &world.truth.accepted {
        let owned = before.get(&fence.job_id).is_some_and(|job| {
            matches!(&job.state, JobState::Running(owner)
                if owner.run_id == fence.run_id && owner.run_epoch == fence.run_epoch)
        });
        if !owned {
            let what = format!(
                "job {} took a write by {} of epoch {}, which did not own it",
                fence.job_id, fence.run_id, fence.run_epoch
            );
            found.push(Violation::new("stale_writes_are_refused", what));
        }
    }
}

/// A run that gave its job back leaves nothing alive that could go on working on it.
fn dead(world: &World, found: &mut Vec<Violation>) {
    for (worker, run) in &world.truth.settled {
        if world.node(*worker).is_some_and(|node| node.machine.lives(run)) {
            let what = format!("{run} gave its job back on {worker} and its processes live on");
            found.push(Violation::new("a_run_given_back_is_dead", what));
        }
    }
}
