//! What is over goes after its time, and nothing else does.

use orch_core::decide;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{EventId, TaskId};
use orch_core::outcome::Outcome;
use orch_core::retention::Keep;
use orch_core::task::Task;
use orch_store::{
    DueTaskCounts, DueTasks, EventFilter, Guard, IdempotencyKey, PrunedTasks, StoreError,
    TaskFilter, TaskWord, WorkerRow,
};

use crate::Engine;
use crate::engine::{at, repo_name, situation, submission, worker};

/// A task that goes through its pipeline; it is over at second 20.
fn finished(engine: &Engine) -> Task {
    let task = engine.submit();
    engine.pass(&engine.claimed());
    engine.pass(&engine.claimed());
    task
}

/// A task that is cancelled at that second while it runs.
fn cancelled(engine: &Engine, second: i64) -> Task {
    let task = engine.submit();
    let claim = engine.claimed();
    assert_eq!(claim.task.id, task.id);
    let decision = decide::cancelled(situation(&claim.task, &claim.job), "not needed").unwrap();
    let guard = Guard::Any { job_id: claim.job.id, run_epoch: claim.job.run_epoch };
    engine.store.apply(at(second), &guard, &decision, None).unwrap();
    task
}

fn due(engine: &Engine, before: i64, keep: u32) -> Vec<TaskId> {
    let due = DueTasks { before: at(before), keep };
    engine.store.due_tasks(due, None, 100).unwrap().into_iter().map(|task| task.id).collect()
}

fn events_of(engine: &Engine, task: &Task) -> usize {
    engine.store.last_events(&task.key, 1_000).unwrap().len()
}

fn note(task: Option<&Task>) -> NewEvent {
    NewEvent {
        kind: EventKind::Reconciled,
        task: task.map(|task| task.key.clone()),
        repo: None,
        run_id: None,
        message: "a note".to_owned(),
        data: serde_json::json!({}),
    }
}

pub fn due_is_what_the_rule_says(engine: &Engine) {
    let ended: Vec<_> =
        [30, 10, 30, 20, 50, 40].map(|second| (at(second), cancelled(engine, second).id)).to_vec();
    let open = engine.submit();
    for age in [0, 5, 25, 60] {
        for newest in [0, 1, 3, 6, 9] {
            let keep = Keep { age: Some(std::time::Duration::from_secs(age)), newest };
            let expected: Vec<TaskId> =
                keep.due(at(55), ended.clone()).into_iter().map(|(_, id)| id).collect();
            let due = DueTasks::of(&keep, at(55)).unwrap();
            let all = engine.store.due_tasks(due, None, 100).unwrap();
            let found: Vec<TaskId> = all.iter().map(|task| task.id).collect();
            assert_eq!(found, expected, "{keep:?}");
            assert_eq!(engine.store.count_due_tasks(due).unwrap().tasks, expected.len() as u64);
            if let [first, rest @ ..] = &all[..] {
                let after = Some((first.finished_at, first.id));
                assert_eq!(engine.store.due_tasks(due, after, 100).unwrap(), rest);
                assert_eq!(first.runs.len(), 1);
            }
        }
    }
    assert!(!due(engine, 10_000, 0).contains(&open.id), "an open task is never due");
}

pub fn a_task_goes_with_all_that_is_its_own_and_nothing_else(engine: &Engine) {
    let key = IdempotencyKey {
        scope: "api".to_owned(),
        key: "once".to_owned(),
        body_hash: "hash".to_owned(),
    };
    let first = engine.store.submit(at(1), &submission("hello", 0), Some(&key)).unwrap().task;
    engine.pass(&engine.claimed());
    engine.fail(&engine.claimed());
    engine.pass(&engine.claimed());
    engine.pass(&engine.claimed());
    let (second, open) = (finished(engine), engine.submit());
    let claim = engine.claimed();
    let kept = (events_of(engine, &second), events_of(engine, &open));
    let found = DueTasks { before: at(21), keep: 1 };
    let counted = engine.store.count_due_tasks(found).unwrap();
    assert_eq!((counted.tasks, counted.runs), (1, 4));
    assert_eq!(counted.events, events_of(engine, &first) as u64);

    // Asked for by mistake, what is not over, or not yet long enough, stays.
    let everything = [first.id, second.id, open.id];
    assert_eq!(
        engine.store.prune_tasks(at(20), &everything, 1_000).unwrap(),
        PrunedTasks::default()
    );
    let ids = due(engine, 21, 1);
    assert_eq!(ids, [first.id]);
    let pruned = engine.store.prune_tasks(at(21), &ids, 1_000).unwrap();
    assert_eq!(pruned.tasks, 1);
    assert!(pruned.rows > counted.runs + counted.events, "{pruned:?}");
    assert!(matches!(engine.store.task(&first.key), Err(StoreError::NotFound { .. })));
    assert_eq!(events_of(engine, &first), 0);
    assert_eq!((events_of(engine, &second), events_of(engine, &open)), kept);
    assert_eq!(engine.store.runs(second.id).unwrap().len(), 2);
    assert_eq!(engine.store.running(None).unwrap(), [(claim.job.clone(), claim.task.clone())]);
    assert_eq!(engine.store.prune_tasks(at(21), &ids, 1_000).unwrap(), PrunedTasks::default());
    assert_eq!(engine.store.count_due_tasks(found).unwrap(), DueTaskCounts::default());

    // The open one is refused whatever the moment.
    engine.store.prune_tasks(at(10_000), &[open.id], 1_000).unwrap();
    assert_eq!(engine.store.task(&open.key).unwrap().id, open.id);
    assert_eq!(engine.violations(), []);
    assert_eq!(engine.store.integrity().unwrap(), Vec::<String>::new());

    // Numbers are not given again, and the key of a task that is gone makes a new one.
    let again = engine.store.submit(at(60), &submission("hello", 0), Some(&key)).unwrap();
    assert!(again.fresh && again.task.key != first.key && again.task.id > open.id);
}

pub fn a_step_is_bounded_and_the_next_goes_on(engine: &Engine) {
    let tasks = [finished(engine), finished(engine)];
    let notes: Vec<NewEvent> = (0..40).map(|_| note(Some(&tasks[0]))).collect();
    engine.store.record_events(at(19), &notes).unwrap();
    let ids = due(engine, 21, 0);
    let mut steps = 0;
    let mut all = PrunedTasks::default();
    loop {
        let step = engine.store.prune_tasks(at(21), &ids, 7).unwrap();
        assert!(step.rows <= 7, "{step:?}");
        assert_eq!(engine.violations(), [], "between two steps the state is lawful");
        if step == PrunedTasks::default() {
            break;
        }
        steps += 1;
        all.rows += step.rows;
        all.tasks += step.tasks;
    }
    assert_eq!(all.tasks, 2);
    assert!(steps as u64 >= all.rows / 7, "{steps} steps for {all:?}");
    let left = engine.store.events(EventId(0), &EventFilter::default(), 1_000).unwrap();
    assert!(left.iter().all(|event| event.what.task.is_none()), "{left:?}");
    assert_eq!(engine.store.integrity().unwrap(), Vec::<String>::new());
}

pub fn records_go_after_their_time(engine: &Engine) {
    let row = |name: &str| WorkerRow {
        id: worker(name),
        host: "box".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
        capacity: 2,
        labels: vec![],
    };
    engine.store.worker_beat(at(1), &row("w1")).unwrap();
    engine.store.worker_beat(at(1), &row("w2")).unwrap();
    engine.store.worker_beat(at(50), &row("w3")).unwrap();
    for program in ["docker", "node"] {
        let held = engine.submit();
        let outcome = Outcome::PermanentEnv { reason: format!("no {program}") };
        engine.infra(&engine.claimed(), outcome);
        assert!(engine.store.task(&held.key).is_ok());
    }
    // `w1` still runs something; one alert is delivered, the other is not.
    engine.submit();
    engine.claimed();
    let alert = engine.store.outbox_pending(at(100), 10).unwrap().remove(0).id;
    engine.store.outbox_delivered(at(3), alert).unwrap();
    engine.store.record_events(at(4), &[note(None), note(None)]).unwrap();
    engine.store.record_events(at(60), &[note(None)]).unwrap();
    let of_tasks = |engine: &Engine| {
        let all = engine.store.events(EventId(0), &EventFilter::default(), 1_000).unwrap();
        all.iter().filter(|event| event.what.task.is_some()).count()
    };
    let before = of_tasks(engine);
    let counted = engine.store.count_due_records(at(30)).unwrap();

    let mut gone = 0;
    loop {
        let step = engine.store.prune_records(at(30), 2).unwrap();
        assert!(step <= 2);
        if step == 0 {
            break;
        }
        gone += step;
    }
    assert_eq!(gone, counted);
    assert_eq!(of_tasks(engine), before, "an event goes with its task only");
    let workers: Vec<_> =
        engine.store.workers().unwrap().into_iter().map(|worker| worker.info.id).collect();
    assert_eq!(workers, [worker("w1"), worker("w3")]);
    let notes = engine.store.events(EventId(0), &EventFilter::default(), 1_000).unwrap();
    let notes: Vec<_> = notes.iter().filter(|event| event.what.message == "a note").collect();
    assert_eq!(notes.iter().map(|event| event.at).collect::<Vec<_>>(), [at(60)]);
    assert_eq!(engine.store.outbox_pending(at(100), 10).unwrap().len(), 1);
    assert!(matches!(
        engine.store.outbox_delivered(at(70), alert),
        Err(StoreError::NotFound { .. })
    ));
}

pub fn numbers_of_events_are_never_given_again(engine: &Engine) {
    engine.store.freeze(at(2), &repo_name("hello"), None).unwrap();
    engine.store.unfreeze(at(3), &repo_name("hello")).unwrap();
    let task = cancelled(engine, 30);
    let newest = engine.store.last_event_id().unwrap();
    engine.store.prune_tasks(at(40), &[task.id], 1_000).unwrap();
    while engine.store.prune_records(at(40), 100).unwrap() > 0 {}
    assert!(engine.store.events(EventId(0), &EventFilter::default(), 10).unwrap().is_empty());
    engine.store.record_events(at(50), &[note(None)]).unwrap();
    // Whoever had read up to the newest one misses nothing.
    let rest = engine.store.events(newest, &EventFilter::default(), 10).unwrap();
    assert_eq!(rest.len(), 1);
    let filter = TaskFilter { state: Some(TaskWord::Open), ..TaskFilter::default() };
    let page = orch_store::Page { before: None, limit: 10 };
    assert!(engine.store.tasks(&filter, page).unwrap().items.is_empty());
}

pub fn the_schema_lets_no_other_event_go(engine: &Engine) {
    let (over, open) = (finished(engine), engine.submit());
    engine.store.record_events(at(25), &[note(None)]).unwrap();
    let mark = |tasks: i64, events: i64| {
        engine
            .raw(&format!(
                "UPDATE retention SET tasks_before = {}, events_before = {}",
                at(tasks).as_millisecond(),
                at(events).as_millisecond()
            ))
            .unwrap();
    };
    let delete = |wanted: &str| engine.raw(&format!("DELETE FROM events WHERE {wanted}"));
    let of = |task: &Task| format!("task = '{}'", task.key);
    for (what, wanted) in
        [("of a finished task", of(&over)), ("of no task", "task IS NULL".to_owned())]
    {
        mark(0, 0);
        let error = delete(&wanted).expect_err(what);
        assert!(error.contains("events_are_append_only"), "{what}: {error}");
        mark(20, 25);
        assert!(delete(&wanted).is_err(), "{what}: on the mark is not before it");
        mark(21, 26);
        let error = delete(&of(&open)).expect_err("of an open task");
        assert!(error.contains("events_are_append_only"), "{error}");
        delete(&wanted).unwrap();
    }
    let changed = engine.raw("UPDATE events SET message = 'nothing happened'").unwrap_err();
    assert!(changed.contains("events_are_append_only"), "{changed}");
    assert!(engine.raw("INSERT INTO retention (one) VALUES (2)").is_err());
}
