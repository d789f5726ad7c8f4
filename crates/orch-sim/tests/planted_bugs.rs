//! The simulator's own test: every planted bug is found within a fixed budget, and what it is
//! shrunk to finds it again.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use orch_sim::Plant;
use orch_sim::run::{self, Summary};

/// Seeds that one bug may take to be found, and the steps of each.
const SEEDS: u64 = 40;
const STEPS: u64 = 400;

/// Finds the bug, by a law that speaks of it, and finds it again by the shrunk script.
fn is_found(plant: Plant, laws: &[&str]) {
    let mut summary = Summary::default();
    let failure = (1..=SEEDS)
        .find_map(|seed| run::seed(seed, STEPS, Some(plant), &mut summary).unwrap())
        .unwrap_or_else(|| panic!("{plant} was not found in {SEEDS} seeds of {STEPS} steps"));
    let law = failure.violation.law.clone();
    assert!(laws.contains(&law.as_str()), "{plant} broke {law}: {}", failure.violation.what);
    let short = run::shrink(failure.setup, Some(plant), &law, &failure.script).unwrap();
    assert!(short.len() <= failure.script.len());
    let (broken, _) = run::replay(failure.setup, Some(plant), &short).unwrap();
    assert_eq!(broken.map(|(_, violation)| violation.law), Some(law.clone()), "{plant}");
    println!(
        "{plant}: {law}, found by seed {} after {} steps in all, shrunk from {} to {} directives",
        failure.seed,
        summary.steps,
        failure.script.len(),
        short.len()
    );
    let (clean, _) = run::replay(failure.setup, None, &short).unwrap();
    assert!(clean.is_none(), "{plant}: the same script breaks a law without the bug: {clean:?}");
}

#[test]
fn a_stale_pid_in_a_queued_row() {
    is_found(Plant::StalePid, &["rows_are_readable"]);
}

#[test]
fn a_pid_taken_for_a_process() {
    is_found(Plant::ReusedPid, &["nothing_is_wedged"]);
}

#[test]
fn a_missing_fence() {
    is_found(Plant::MissingFence, &["stale_writes_are_refused"]);
}

#[test]
fn a_lost_next_job() {
    is_found(Plant::LostNextJob, &["no_task_is_lost"]);
}

#[test]
fn a_double_admission() {
    is_found(Plant::DoubleAdmit, &["the_gate_keeps_its_width", "first_come_first_in"]);
}

#[test]
fn an_unskipped_pause() {
    is_found(Plant::UnskippedPause, &["pause_blocks_nobody"]);
}

#[test]
fn a_retry_burnt_by_infrastructure() {
    is_found(Plant::RetryBurnt, &["infrastructure_burns_nothing"]);
}

#[test]
fn a_double_merge() {
    is_found(Plant::DoubleMerge, &["a_task_lands_once"]);
}

#[test]
fn an_orphan_worktree() {
    is_found(Plant::OrphanWorktree, &["ended_tasks_leave_no_worktree"]);
}

#[test]
fn a_stale_mirror() {
    is_found(Plant::StaleMirror, &["nothing_is_wedged", "what_lands_was_tested"]);
}

#[test]
fn a_dropped_event() {
    is_found(Plant::DroppedEvent, &["events_tell_everything"]);
}

#[test]
fn an_unbounded_defer() {
    is_found(Plant::UnboundedDefer, &["defers_are_bounded"]);
}
