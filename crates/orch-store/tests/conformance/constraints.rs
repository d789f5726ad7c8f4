//! The schema's own word: rows that must never be, and who refuses them.

use crate::Engine;
use crate::engine::fence;

/// An assignment to the one running job, and the constraint that has to refuse it; several where
/// several do, and engines look in another order.
const JOBS: &[(&str, &str)] = &[
    ("status = 'queued'", "queued_has_no_owner"),
    ("status = 'queued', run_id = NULL", "queued_has_no_owner"),
    (
        "status = 'queued', run_id = NULL, worker_id = NULL, lease_until = NULL",
        "queued_has_no_owner",
    ),
    (
        "status = 'queued', run_id = NULL, worker_id = NULL, lease_until = NULL, \
         started_at = NULL, pid = 7, pid_start = 8, boot_id = 'b'",
        "queued_has_no_owner",
    ),
    ("run_id = NULL", "running_has_an_owner"),
    ("worker_id = NULL", "running_has_an_owner"),
    ("started_at = NULL", "running_has_an_owner"),
    ("lease_until = NULL", "running_has_an_owner"),
    ("status = 'succeeded', finished_at = 1", "only_running_has_an_owner"),
    (
        "status = 'held', hold_kind = 'infra', hold_reason = 'r', held_at = 1",
        "only_running_has_an_owner",
    ),
    ("pid = 7", "process_is_whole"),
    ("pid = 7, pid_start = 8", "process_is_whole"),
    ("pid = 0, pid_start = 8, boot_id = 'b'", "process_is_whole"),
    ("finished_at = 1", "job_final_has_finish"),
    ("finish_reason = 'r'", "finish_reason_needs_finish"),
    ("hold_kind = 'infra', hold_reason = 'r', held_at = 1", "only_held_has_hold"),
    ("queued_reason = 'r'", "queued_reason_needs_queue"),
    ("status = 'zombie'", "job_status_known"),
    ("status = NULL", "jobs.status|23502"),
    ("defers = -1", "job_counts_from_zero"),
    ("unknowns = -1", "unknowns_from_zero"),
    ("stops = -1", "stops_from_zero"),
    ("run_epoch = 0", "run_epoch_never_falls"),
    ("task_id = 999", "FOREIGN KEY constraint failed|23503"),
    ("task_id = 2", "jobs.task_id|one_active_job"),
];

/// The same for the waiting second task.
const TASKS: &[(&str, &str)] = &[
    ("status = 'paused'", "task_status_known|task_final_has_finish"),
    ("status = 'done'", "task_final_has_finish"),
    ("finished_at = 1", "task_final_has_finish"),
    ("status = 'cancelled', finished_at = 1", "cancelled_has_reason"),
    ("status = 'done', finished_at = 1, gate_slot = 5", "final_has_no_slot"),
    ("status = 'done', finished_at = 1, paused_at = 1", "final_is_not_paused"),
    ("gate_slot = 5, paused_at = 1", "pause_blocks_nobody"),
    ("pause_reason = 'r'", "pause_reason_needs_pause"),
    ("tested_commit = 'c'", "tested_is_whole"),
    ("bounces = -1", "task_counts_from_zero"),
    ("gate_slot = -1", "slot_from_zero"),
    ("gate_slot = 0", "tasks.repo_id, tasks.gate_slot|one_task_per_slot"),
    ("key = 'HELLO-1'", "tasks.key|tasks_key_key"),
];

/// Statements on other tables.
const OTHERS: &[(&str, &str)] = &[
    ("UPDATE jobs SET status = 'held' WHERE id = 2", "held_has_reason"),
    (
        "UPDATE jobs SET status = 'held', hold_kind = 'infra', hold_reason = '', held_at = 1 \
         WHERE id = 2",
        "held_has_reason",
    ),
    ("UPDATE jobs SET pid = 7, pid_start = 8, boot_id = 'b' WHERE id = 2", "queued_has_no_owner"),
    (
        "INSERT INTO jobs (task_id, stage, agent, status, priority, available_at, created_at) \
         VALUES (2, 'testing', 'tester', 'queued', 0, 0, 0)",
        "jobs.task_id|one_active_job",
    ),
    ("UPDATE runs SET finished_at = 1", "run_end_is_whole"),
    ("UPDATE runs SET pid = 7", "run_process_is_whole"),
    ("UPDATE runs SET cost_micros = -1", "run_counts_from_zero"),
    ("UPDATE repos SET frozen_reason = 'r'", "frozen_reason_needs_freeze"),
    ("UPDATE repos SET next_number = 0", "next_number_in_range"),
    (
        "INSERT INTO gate_results (run_id, task_id, stage, gate, verdict, reasons, at) \
         SELECT run_id, 1, 's', 'g', 'maybe', '[]', 0 FROM runs",
        "verdict_known",
    ),
    (
        "INSERT INTO outbox (dedup_key, message, created_at, next_try_at) \
         VALUES ('k', 'm', 0, 0), ('k', 'm', 0, 0)",
        "outbox.dedup_key|one_undelivered_alert",
    ),
];

/// Whether an error names the constraint; where engines name it differently, one of its names.
fn refused_by(error: &str, names: &str) -> bool {
    names.split('|').any(|name| error.contains(name))
}

pub fn forged_rows_are_refused(engine: &Engine) {
    engine.submit();
    engine.submit();
    let claim = engine.claimed();
    let before = engine.store.snapshot().unwrap();
    let jobs = JOBS.iter().map(|(set, name)| (format!("UPDATE jobs SET {set} WHERE id = 1"), name));
    let tasks =
        TASKS.iter().map(|(set, name)| (format!("UPDATE tasks SET {set} WHERE id = 2"), name));
    let others = OTHERS.iter().map(|(sql, name)| ((*sql).to_owned(), name));
    for (sql, name) in jobs.chain(tasks).chain(others) {
        let error = engine.raw(&sql).expect_err(&sql);
        assert!(refused_by(&error, name), "{sql}: {error}, not {name}");
    }
    let after = engine.store.snapshot().unwrap();
    assert_eq!((after.tasks, after.jobs), (before.tasks, before.jobs));
    assert_eq!(fence(&claim).run_epoch, 1);
}

pub fn rows_that_may_not_change_do_not(engine: &Engine) {
    engine.submit();
    for _ in 0..2 {
        engine.pass(&engine.claimed());
    }
    for (sql, name) in [
        ("UPDATE events SET message = 'nothing happened'", "events_are_append_only"),
        ("DELETE FROM events", "events_are_append_only"),
        ("UPDATE jobs SET status = 'queued', finished_at = NULL", "finished_job_stays_finished"),
        ("UPDATE jobs SET status = 'failed'", "finished_job_stays_finished"),
        ("UPDATE tasks SET status = 'open', finished_at = NULL", "finished_task_stays_finished"),
        ("DELETE FROM tasks", "FOREIGN KEY constraint failed|23503"),
        ("DELETE FROM repos", "FOREIGN KEY constraint failed|23503"),
    ] {
        let error = engine.raw(sql).expect_err(sql);
        assert!(refused_by(&error, name), "{sql}: {error}, not {name}");
    }
}

/// SQLite's strict tables refuse what PostgreSQL's types don't even parse.
pub fn types_are_checked(engine: &Engine) {
    engine.submit();
    let error = engine.raw("UPDATE jobs SET run_epoch = 'many' WHERE id = 1").unwrap_err();
    assert!(error.contains("cannot store TEXT value in INTEGER column jobs.run_epoch"), "{error}");
}
