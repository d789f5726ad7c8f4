//! Events across nodes: none is passed by, all are heard of.

use std::sync::mpsc::channel;
use std::time::Duration;

use orch_core::ids::EventId;
use orch_store::EventFilter;

use crate::Engine;
use crate::engine::{ONE, at, client};

/// A reader that goes by numbers must not pass by an event whose transaction is still open.
#[test]
fn no_event_is_read_before_all_that_come_before_it() {
    let engine = Engine::postgres(ONE);
    let filter = EventFilter::default();
    let before = engine.store.last_event_id().unwrap();
    let mut slow = client(engine.url.as_deref().unwrap());
    let mut open = slow.transaction().unwrap();
    // As the store begins: with a number of its own.
    open.execute("SELECT pg_current_xact_id()", &[]).unwrap();
    open.execute(
        "INSERT INTO events (at, kind, message, data) VALUES (0, 'reconciler.mended', 'slow', '{}')",
        &[],
    )
    .unwrap();
    // Later by number, earlier to commit.
    engine.submit();
    assert_eq!(engine.store.events(before, &filter, 10).unwrap(), []);
    assert_eq!(engine.store.last_event_id().unwrap(), before);
    open.commit().unwrap();
    let read = engine.store.events(before, &filter, 10).unwrap();
    assert!(read.len() > 1 && read[0].what.message == "slow", "{read:?}");
    assert_eq!(engine.store.last_event_id().unwrap(), read.last().unwrap().id);
}

/// The same at random: a reader that follows by numbers sees everything that was written.
#[test]
fn a_follower_misses_nothing() {
    let engine = Engine::postgres(ONE);
    let filter = EventFilter::default();
    let followed = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..6)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..40 {
                        engine.submit();
                    }
                })
            })
            .collect();
        let mut seen = Vec::new();
        let mut last = EventId(0);
        loop {
            let done = writers.iter().all(std::thread::ScopedJoinHandle::is_finished);
            let read = engine.store.events(last, &filter, 1_000).unwrap();
            last = read.last().map_or(last, |event| event.id);
            let idle = read.is_empty();
            seen.extend(read.into_iter().map(|event| event.id));
            if done && idle {
                return seen;
            }
        }
    });
    let mut all: Vec<i64> = client(engine.url.as_deref().unwrap())
        .query("SELECT id FROM events ORDER BY id", &[])
        .unwrap()
        .iter()
        .map(|row| row.get(0))
        .collect();
    all.retain(|id| !followed.contains(&EventId(*id)));
    assert_eq!(all, Vec::<i64>::new(), "events that the follower never saw");
}

/// What one node writes wakes the other, whose subscribers are told a number that they can read.
#[test]
fn another_node_is_woken() {
    let here = Engine::postgres(ONE);
    let there = here.again(ONE).unwrap();
    let (told, hears) = channel();
    there.subscribe(Box::new(move |event| told.send(event).unwrap_or_default()));
    let last = |engine: &Engine| engine.store.last_event_id().unwrap();
    for _ in 0..3 {
        here.submit();
        let wanted = last(&here);
        loop {
            let event = hears.recv_timeout(Duration::from_mins(1)).expect("the other node is told");
            assert!(there.last_event_id().unwrap() >= event);
            if event >= wanted {
                break;
            }
        }
    }
    // A node's own subscribers too.
    let (told, hears) = channel();
    here.store.subscribe(Box::new(move |event| told.send(event).unwrap_or_default()));
    there.pause(at(5), &"HELLO-1".parse().unwrap(), None).unwrap();
    let wanted = last(&here);
    while hears.recv_timeout(Duration::from_mins(1)).expect("this node is told") < wanted {}
}
