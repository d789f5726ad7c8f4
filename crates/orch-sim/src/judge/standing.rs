//! What must hold of every state, whatever happened before.

use std::collections::BTreeMap;

use orch_core::audit::State;
use orch_core::breaker::Paused;
use orch_core::ids::TaskId;
use orch_core::job::{Job, JobState};
use orch_core::task::Task;
use orch_core::why::{GateView, Standing, WhyState, WorkersView, why};

use super::Violation;
use super::change::Frozen;
use crate::world::{Truth, World};

pub fn judge(world: &World, state: &State, frozen: &[Frozen], found: &mut Vec<Violation>) {
    let active: BTreeMap<TaskId, &Job> = state
        .jobs
        .iter()
        .filter(|job| !matches!(job.state, JobState::Finished { .. }))
        .map(|job| (job.task_id, job))
        .collect();
    width(world, state, found);
    budgets(world, state, found);
    capacity(world, state, found);
    orphans(world, state, found);
    // Without the switch nothing is ever paused: no step has to pay for a look.
    let breaker = world.setup.rule().enabled;
    let open = if breaker { world.store.paused_channels() } else { Ok(Vec::new()) };
    let open = open.unwrap_or_default();
    breakers(world, found);
    for task in state.tasks.iter().filter(|task| task.state.is_open()) {
        let paused = open.iter().find(|channel| channel.waiting.contains(&task.key));
        let paused = paused.map(|channel| &channel.paused);
        reasons(world, state, frozen, (task, paused), &active, found);
    }
}

fn width(world: &World, state: &State, found: &mut Vec<Violation>) {
    for repo in world.remotes.keys() {
        let inside: Vec<_> = state
            .tasks
            .iter()
            .filter(|task| &task.repo == repo && task.gate_slot.is_some())
            .map(|task| task.key.to_string())
            .collect();
        if inside.len() > world.setup.width as usize {
            let what = format!("{} are inside {repo} at once", inside.join(", "));
            found.push(Violation::new("the_gate_keeps_its_width", what));
        }
    }
}

/// Counted by what happened, not by what the rows say.
fn budgets(world: &World, state: &State, found: &mut Vec<Violation>) {
    for job in &state.jobs {
        let waits = world.truth.waits.get(&job.id).copied().unwrap_or(0);
        let waits_on = matches!(job.state, JobState::Queued { .. } | JobState::Running(_));
        if waits > Truth::most_waits(&world.setup) && waits_on {
            let what = format!("job {} of {} was deferred {waits} times", job.id, job.key);
            found.push(Violation::new("defers_are_bounded", what));
        }
        if job.crashes > world.setup.crashes {
            let what = format!("job {} of {} crashed {} times", job.id, job.key, job.crashes);
            found.push(Violation::new("crashes_are_bounded", what));
        }
    }
}

fn capacity(world: &World, state: &State, found: &mut Vec<Violation>) {
    for node in &world.nodes {
        let runs = state
            .jobs
            .iter()
            .filter(|job| matches!(&job.state, JobState::Running(o) if o.worker_id == node.id))
            .count();
        if runs > world.setup.capacity as usize {
            let what = format!("{} has {runs} runs", node.id);
            found.push(Violation::new("workers_keep_their_capacity", what));
        }
    }
}

/// A run that was let through and came to its own end opens its channel for all.
fn breakers(world: &World, found: &mut Vec<Violation>) {
    for channel in &world.truth.unreleased {
        let what = format!("{channel} is paused after a probe went through");
        found.push(Violation::new("a_green_probe_releases_all", what));
    }
}

/// Once a reconciler has looked at everything, no worktree of an ended task is left.
fn orphans(world: &World, state: &State, found: &mut Vec<Violation>) {
    for worker in &world.truth.reconciled {
        let Some(node) = world.node(*worker) else { continue };
        for key in &node.machine.worktrees {
            let open = state.tasks.iter().any(|task| &task.key == key && task.state.is_open());
            if !open {
                let what = format!("the worktree of {key} is left on {worker}");
                found.push(Violation::new("ended_tasks_leave_no_worktree", what));
            }
        }
    }
}

/// Every open task can say why it stands where it stands.
fn reasons(
    world: &World,
    state: &State,
    frozen: &[Frozen],
    (task, paused): (&Task, Option<&Paused>),
    active: &BTreeMap<TaskId, &Job>,
    found: &mut Vec<Violation>,
) {
    let gate = gate_view(world, state, frozen, task, active);
    let workers = WorkersView {
        lacking: std::collections::BTreeSet::new(),
        shut: Vec::new(),
        alive: world.nodes.iter().filter(|node| node.acts()).count() as u32,
        capacity: world.setup.capacity * world.setup.workers as u32,
        running: state.jobs.iter().filter(|j| matches!(j.state, JobState::Running(_))).count()
            as u32,
    };
    let job = active.get(&task.id).copied();
    let now = world.time();
    let answer = why(&Standing {
        task,
        job,
        gate: &gate,
        workers: &workers,
        paused,
        cause: None,
        last_verdict: None,
        now,
    });
    if answer.state == WhyState::Inconsistent
        || answer.headline.trim().is_empty()
        || answer.next.trim().is_empty()
    {
        let what = format!("{}: {answer:?}", task.key);
        found.push(Violation::new("every_wait_has_a_reason", what));
    }
}

/// The serial gate of a task's repository, as the task sees it.
pub fn gate_view(
    world: &World,
    state: &State,
    frozen: &[Frozen],
    task: &Task,
    active: &BTreeMap<TaskId, &Job>,
) -> GateView {
    let held = |other: &Task| {
        active.get(&other.id).is_some_and(|job| matches!(job.state, JobState::Held { .. }))
    };
    let ours = || state.tasks.iter().filter(|other| other.repo == task.repo);
    let mut ahead: Vec<&Task> = ours()
        .filter(|other| other.state.is_open() && other.gate_slot.is_none())
        .filter(|other| other.paused.is_none() && !held(other))
        .filter(|other| (-other.priority, other.id) < (-task.priority, task.id))
        .collect();
    ahead.sort_by_key(|other| (-other.priority, other.id));
    GateView {
        enabled: true,
        width: world.setup.width,
        frozen: frozen
            .iter()
            .find(|(repo, _, _)| repo == &task.repo)
            .map(|(_, at, reason)| (*at, reason.clone())),
        holders: ours().filter(|t| t.gate_slot.is_some()).map(|t| t.key.clone()).collect(),
        ahead: ahead.into_iter().map(|other| other.key.clone()).collect(),
    }
}
