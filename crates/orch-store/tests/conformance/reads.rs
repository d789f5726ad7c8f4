//! Reads: events, lists, outbox, workers, wake-ups.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use orch_core::event::EventKind;
use orch_core::ids::EventId;
use orch_core::outcome::Outcome;
use orch_store::{EventFilter, Page, StoreError, TaskFilter, TaskWord, WorkerRow};

use crate::Engine;
use crate::engine::{at, repo_name, worker};

pub fn events_resume_and_filter(engine: &Engine) {
    engine.register("world");
    let task = engine.submit();
    engine.submit_to("world", 0);
    let all = engine.store.events(EventId(0), &EventFilter::default(), 100).unwrap();
    assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
    let rest = engine.store.events(all[2].id, &EventFilter::default(), 2).unwrap();
    assert_eq!(rest, all[3..5]);
    assert_eq!(engine.store.last_event_id().unwrap(), all.last().unwrap().id);
    let by_task = EventFilter { task: Some(task.key.clone()), ..EventFilter::default() };
    let of_task = engine.store.events(EventId(0), &by_task, 100).unwrap();
    assert!(!of_task.is_empty() && of_task.iter().all(|e| e.what.task == Some(task.key.clone())));
    let by_kind = EventFilter {
        repo: Some(repo_name("world")),
        kinds: vec![EventKind::TaskCreated, EventKind::TaskDone],
        ..EventFilter::default()
    };
    assert_eq!(engine.store.events(EventId(0), &by_kind, 100).unwrap().len(), 1);
}

pub fn tasks_are_paged_and_filtered(engine: &Engine) {
    let keys: Vec<_> = (0..6).map(|_| engine.submit().key).collect();
    let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
    engine.infra(&engine.claimed(), outcome);
    engine.claimed();
    engine.store.pause(at(2), &keys[2], None).unwrap();
    let list = |state: Option<TaskWord>, page: Page| {
        let filter = TaskFilter { state, ..TaskFilter::default() };
        engine.store.tasks(&filter, page).unwrap()
    };
    let all = Page { before: None, limit: 50 };
    for (word, expected) in [
        (TaskWord::Held, &keys[0..1]),
        (TaskWord::Running, &keys[1..2]),
        (TaskWord::Paused, &keys[2..3]),
        (TaskWord::Waiting, &keys[3..]),
        (TaskWord::Queued, &[]),
        (TaskWord::Done, &[]),
        (TaskWord::Open, &keys[..]),
    ] {
        let mut found: Vec<_> =
            list(Some(word), all).items.into_iter().map(|(task, _)| task.key).collect();
        found.reverse();
        assert_eq!(found, expected, "{word:?}");
        assert_eq!(TaskWord::by_word(word.word()), Some(word));
    }
    let mut walked = Vec::new();
    let mut page = Page { before: None, limit: 4 };
    loop {
        let got = list(None, page);
        walked.extend(got.items.into_iter().map(|(task, _)| task.key));
        let Some(next) = got.next else { break };
        page.before = Some(next);
    }
    walked.reverse();
    assert_eq!(walked, keys);
    let filter = TaskFilter { repo: Some(repo_name("nowhere")), ..TaskFilter::default() };
    assert!(engine.store.tasks(&filter, all).unwrap().items.is_empty());
    let counts = engine.store.status_counts().unwrap();
    let (_, words) = counts.open.first_key_value().unwrap();
    assert_eq!(words.values().sum::<u64>(), 6);
    assert_eq!(words[&TaskWord::Waiting], 3);
}

pub fn the_outbox_delivers_once(engine: &Engine) {
    engine.submit();
    let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
    engine.infra(&engine.claimed(), outcome);
    let pending = |second| engine.store.outbox_pending(at(second), 10).unwrap();
    let alert = pending(20).remove(0);
    assert!(alert.message.contains("no docker"), "{alert:?}");
    engine.store.outbox_failed(alert.id, at(60), "connection refused").unwrap();
    assert_eq!(pending(59), []);
    let again = pending(60).remove(0);
    assert_eq!((again.attempts, again.last_error.as_deref()), (1, Some("connection refused")));
    engine.store.outbox_delivered(at(61), alert.id).unwrap();
    engine.store.outbox_delivered(at(62), alert.id).unwrap();
    assert_eq!(pending(1_000), []);
    let unknown = engine.store.outbox_delivered(at(62), 99);
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

/// Several workers share the outbox: a claimed alert is nobody else's until it is delivered, failed
/// or left, and what it was told of is not told again.
pub fn one_worker_at_a_time_has_an_alert(engine: &Engine) {
    engine.submit();
    engine.infra(&engine.claimed(), Outcome::PermanentEnv { reason: "no docker".to_owned() });
    let (store, one, two) = (&engine.store, worker("w1"), worker("w2"));
    let claim =
        |who, now, settled| store.outbox_claim(at(now), at(settled), who, at(now + 60)).unwrap();
    assert_eq!(claim(&one, 21, 10), None, "what one fault holds gathers first");
    let alert = claim(&one, 30, 25).expect("it is due");
    assert_eq!((alert.times, alert.sent_to.len()), (1, 0));
    assert_eq!(claim(&two, 31, 25), None, "the other worker has it");
    assert_eq!(claim(&one, 32, 25).unwrap().id, alert.id, "a restarted worker takes its own again");
    let again = claim(&two, 92, 25).expect("the claim was left");
    store.outbox_sent_to(again.id, &["webhook".to_owned()]).unwrap();
    store.outbox_failed(again.id, at(100), "slack: status 500").unwrap();
    let counts = store.outbox_counts().unwrap();
    assert_eq!((counts.pending, counts.delivered), (1, 0));
    assert_eq!(counts.last_error.as_deref(), Some("slack: status 500"));
    assert_eq!(claim(&one, 99, 25), None, "not before its time");
    let alert = claim(&one, 100, 25).unwrap();
    assert_eq!((alert.attempts, alert.sent_to), (1, vec!["webhook".to_owned()]));
    store.outbox_delivered(at(101), alert.id).unwrap();
    let counts = store.outbox_counts().unwrap();
    assert_eq!((counts.pending, counts.delivered, counts.last_error), (0, 1, None));
    assert_eq!(counts.last_delivered_at, Some(at(101)));
    assert_eq!(store.outbox_expire(at(1_000)).unwrap(), 0, "what was delivered is kept");
    assert_eq!(claim(&one, 1_000, 25), None);
}

pub fn workers_are_remembered(engine: &Engine) {
    let row = WorkerRow {
        id: worker("w1"),
        host: "box".to_owned(),
        pid: 7,
        version: "0.1.0".to_owned(),
        capacity: 2,
        labels: vec!["gpu".to_owned()],
    };
    engine.store.worker_beat(at(1), &row).unwrap();
    engine.store.worker_beat(at(9), &WorkerRow { pid: 8, ..row.clone() }).unwrap();
    engine.submit();
    engine.claimed();
    let known = engine.store.workers().unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].first_seen, known[0].last_seen), (at(1), at(9)));
    assert_eq!((known[0].info.pid, known[0].running), (8, 1));
    assert_eq!(engine.store.running(Some(&worker("w1"))).unwrap().len(), 1);
    assert_eq!(engine.store.running(Some(&worker("w2"))).unwrap(), []);
}

pub fn wakeups_look_ahead(engine: &Engine) {
    assert_eq!(engine.store.next_wakeup(at(0)).unwrap(), None);
    engine.submit();
    assert_eq!(
        engine.store.next_wakeup(at(5)).unwrap(),
        None,
        "what is due is claimed, not slept on"
    );
    let claim = engine.claimed();
    let reason = "network".to_owned();
    engine.infra(&claim, Outcome::TransientInfra { reason });
    let wakeup = engine.store.next_wakeup(at(20)).unwrap().unwrap();
    assert!(wakeup > at(20));
    engine.store.pause(at(21), &claim.task.key, None).unwrap();
    assert_eq!(engine.store.next_wakeup(at(21)).unwrap(), None, "a paused task wakes nobody");
    engine.store.ping().unwrap();
}

pub fn subscribers_are_woken(engine: &Engine) {
    let (heard, ear) = channel();
    let heard = Mutex::new(heard);
    engine.store.subscribe(Box::new(move |id| heard.lock().unwrap().send(id).unwrap_or_default()));
    engine.submit();
    // The commits before it may still be on their way to the ear.
    let last = engine.store.last_event_id().unwrap();
    let patience = std::time::Duration::from_mins(1);
    while ear.recv_timeout(patience).unwrap() < last {}
}
