//! A database that somebody edited by hand: errors and holds, never a panic, never a wedge.

use orch_core::decide::first_job;
use orch_core::event::EventKind;
use orch_core::ids::{EventId, JobId};
use orch_core::job::JobState;
use orch_store::{EventFilter, Page, StoreError, TaskFilter};

use crate::Engine;
use crate::engine::{at, situation};

/// The incident: a job is queued with the run and the pid of a live, foreign process, and one
/// worker with room for one run stands before it.
pub fn the_incident(engine: &Engine) {
    let task = engine.submit();
    let own_pid = std::process::id();
    engine.force(&format!(
        "UPDATE jobs SET run_id = 'r-ghost-run', pid = {own_pid}, pid_start = 1, boot_id = 'b', \
         started_at = 1, worker_id = 'w1'"
    ));
    assert!(matches!(engine.store.active_job(task.id), Err(StoreError::Impossible { .. })));
    assert!(!engine.store.integrity().unwrap().is_empty());
    assert_eq!(engine.store.running(None).unwrap(), [], "a ghost takes nobody's place");
    assert_eq!(engine.store.sanitize(at(5)).unwrap(), 1);
    assert_eq!(engine.store.sanitize(at(6)).unwrap(), 0, "once is enough");
    assert_eq!(engine.store.integrity().unwrap(), Vec::<String>::new());
    let kinds = vec![EventKind::ImpossibleQueued];
    let filter = EventFilter { kinds, ..EventFilter::default() };
    let events = engine.store.events(EventId(0), &filter, 10).unwrap();
    assert_eq!((events.len(), &events[0].what.task), (1, &Some(task.key.clone())));
    let claim = engine.store.claim(at(40), &engine.request(1)).unwrap().unwrap();
    assert_eq!(claim.task.key, task.key);
    engine.pass(&claim);

    // And without the sweep: the claim itself overwrites the ghost.
    engine.force("UPDATE jobs SET run_id = 'r-ghost-run', pid = 1 WHERE status = 'queued'");
    let claim = engine.store.claim(at(40), &engine.request(1)).unwrap().unwrap();
    let JobState::Running(owner) = &claim.job.state else { panic!("{claim:?}") };
    assert_eq!((owner.process.clone(), owner.run_id.as_str() == "r-ghost-run"), (None, false));
}

/// Edits of the first task and its job, each of which makes a row unreadable.
const EDITS: &[&str] = &[
    "UPDATE tasks SET pipeline = 'garbage' WHERE id = 1",
    "UPDATE tasks SET pipeline = '{\"stages\":[]}' WHERE id = 1",
    "UPDATE tasks SET feedback = '{' WHERE id = 1",
    "UPDATE tasks SET stage = '../../etc' WHERE id = 1",
    "UPDATE tasks SET key = 'no key' WHERE id = 1",
    "UPDATE tasks SET head = 'HEAD' WHERE id = 1",
    "UPDATE tasks SET tested_tree = 'half' WHERE id = 1",
    "UPDATE tasks SET pause_reason = 'half' WHERE id = 1",
    "UPDATE tasks SET created_at = 9223372036854775807 WHERE id = 1",
    "UPDATE tasks SET attempts = -4 WHERE id = 1",
    "UPDATE tasks SET title = CAST(x'ff' AS TEXT) WHERE id = 1",
    "UPDATE jobs SET agent = 'No Agent' WHERE task_id = 1",
    "UPDATE jobs SET defers = 99999999999 WHERE task_id = 1",
    "UPDATE jobs SET crashes = -1 WHERE task_id = 1",
];

pub fn garbage_is_an_error_and_the_queue_moves_on(_: &Engine) {
    for (edit, swept) in EDITS.iter().flat_map(|edit| [(edit, false), (edit, true)]) {
        let engine = Engine::sqlite(crate::engine::ONE);
        let damaged = engine.submit();
        let sound = engine.submit();
        engine.force(edit);
        let read = engine.store.standing(&damaged.key);
        let gone = edit.contains("SET key");
        assert!(
            matches!(read, Err(StoreError::Impossible { .. }))
                || gone && matches!(read, Err(StoreError::NotFound { .. })),
            "{edit}: {read:?}"
        );
        let all = Page { before: None, limit: 10 };
        let page = engine.store.tasks(&TaskFilter::default(), all).unwrap();
        assert_eq!(page.items.len(), 1, "{edit}: the sound one is listed");
        assert!(!engine.store.snapshot().unwrap().damaged.is_empty(), "{edit}");
        engine.store.queue_snapshot(at(9)).unwrap();
        if swept {
            engine.store.sanitize(at(9)).unwrap();
        }
        let claim = engine.claim();
        let claimed = claim.map(|claim| claim.task.key);
        assert_eq!(claimed, Some(sound.key), "{edit}, swept {swept}: the next one is worked");
        assert!(!engine.store.integrity().unwrap().is_empty(), "{edit}");
    }
}

/// One row refuses whatever is done to it; the other is mended all the same, and the queue goes on
/// past both.
pub fn a_row_that_can_not_be_mended_keeps_no_other_from_it(engine: &Engine) {
    for name in ["a", "b", "c"] {
        engine.register(name);
        engine.submit_to(name, 0);
    }
    engine.force(
        "UPDATE jobs SET run_id = 'r-ghost', pid = 7 WHERE id = 1; \
         UPDATE jobs SET worker_id = 'w9' WHERE id = 2",
    );
    engine
        .raw(
            "CREATE TRIGGER stuck BEFORE UPDATE ON jobs WHEN OLD.id = 1 \
             BEGIN SELECT RAISE(ABORT, 'stuck on purpose'); END",
        )
        .unwrap();
    assert_eq!(engine.store.sanitize(at(5)).unwrap(), 1, "the second");
    assert_eq!(engine.store.job(JobId(2)).unwrap().state.status(), "queued");
    let claimed: Vec<String> =
        std::iter::from_fn(|| engine.claim()).map(|claim| claim.task.repo.to_string()).collect();
    assert_eq!(claimed, ["b", "c"]);
}

pub fn an_impossible_status_is_reported(engine: &Engine) {
    let task = engine.submit();
    engine.force("UPDATE jobs SET status = 'zombie'");
    assert!(matches!(engine.store.active_job(task.id), Err(StoreError::Impossible { .. })));
    engine.force("UPDATE jobs SET status = 'running'");
    assert!(matches!(engine.store.active_job(task.id), Err(StoreError::Impossible { .. })));
    assert_eq!(engine.store.sanitize(at(5)).unwrap(), 1, "a run without an owner is set aside");
    let (task, job) = engine.store.standing(&task.key).unwrap();
    let job = job.unwrap();
    assert_eq!(job.state.status(), "held");
    assert!(orch_core::decide::retried(situation(&task, &job)).is_ok(), "and can be retried");
    let alerts = engine.store.outbox_pending(at(6), 10).unwrap();
    assert!(alerts[0].message.contains("set aside"), "{alerts:?}");
}

/// A job's row was deleted: the task is found, and can be given a job again, once.
pub fn a_task_without_a_job_is_found(engine: &Engine) {
    let task = engine.submit();
    assert_eq!(engine.store.tasks_without_a_job().unwrap(), []);
    engine.force("DELETE FROM jobs");
    assert_eq!(engine.violations().len(), 1);
    let lost = engine.store.tasks_without_a_job().unwrap();
    assert_eq!(lost.len(), 1);
    let job = first_job(task.pipeline.first(), false, at(5), None);
    engine.store.enqueue(at(5), &task.key, &job).unwrap();
    let again = engine.store.enqueue(at(6), &task.key, &job);
    assert!(matches!(again, Err(StoreError::Conflict { .. })), "{again:?}");
    assert_eq!(engine.claimed().task.key, task.key);
    assert_eq!(engine.violations(), []);
}
