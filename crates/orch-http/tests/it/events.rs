//! Events: the history in pages, and the live stream.

use orch_api::{EventItem, EventQuery};

use crate::service::{Service, problem};

fn history(service: &Service, query: &EventQuery) -> Vec<EventItem> {
    let mut query = query.clone();
    let mut events = Vec::new();
    loop {
        let page = service.client.events(&query).unwrap();
        events.extend(page.items);
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return events,
        }
    }
}

fn ids(events: &[EventItem]) -> Vec<i64> {
    events.iter().map(|event| event.id).collect()
}

#[test]
fn the_history_comes_in_order_whole_and_filtered() {
    let service = Service::start();
    for title in ["one", "two", "three"] {
        service.submit(title);
    }
    let all = history(&service, &EventQuery::default());
    for limit in [1, 2, all.len() as u32, 500] {
        let query = EventQuery { limit: Some(limit), ..EventQuery::default() };
        assert_eq!(ids(&history(&service, &query)), ids(&all), "limit {limit}");
    }
    assert!(all.is_sorted_by_key(|event| event.id));
    let of_two =
        history(&service, &EventQuery { task: Some("HELLO-2".into()), ..EventQuery::default() });
    assert!(!of_two.is_empty() && of_two.iter().all(|e| e.task.as_deref() == Some("HELLO-2")));
    assert_eq!(
        ids(&service.client.task_events("HELLO-2", None, None).unwrap().items),
        ids(&of_two)
    );
    let created =
        EventQuery { kind: Some("task.created,task.done".into()), ..EventQuery::default() };
    assert_eq!(history(&service, &created).len(), 3);
    let after = EventQuery { after: Some(of_two[0].id), ..EventQuery::default() };
    assert!(history(&service, &after).iter().all(|event| event.id > of_two[0].id));
    assert_eq!(problem(service.client.task_events("HELLO-9", None, None)).status, 404);
}

#[test]
fn a_stream_tells_what_was_and_what_is_to_come() {
    let service = Service::start();
    service.submit("before");
    let mut stream = service.client.events_stream(Some(0)).unwrap();
    let before = history(&service, &EventQuery::default());
    for expected in &before {
        assert_eq!(stream.next().unwrap().unwrap(), *expected);
    }
    service.submit("after");
    let next = stream.next().unwrap().unwrap();
    assert_eq!((next.kind.as_str(), next.task.as_deref()), ("task.created", Some("HELLO-2")));
}

#[test]
fn without_a_place_to_resume_from_a_stream_begins_now_and_filters() {
    let service = Service::start();
    service.submit("one");
    let mut all = service.client.events_stream(None).unwrap();
    let mut second = service.client.task_events_stream("HELLO-1", None).unwrap();
    service.submit("two");
    service.client.pause("HELLO-1", None).unwrap();
    assert_eq!(all.next().unwrap().unwrap().task.as_deref(), Some("HELLO-2"));
    assert_eq!(second.next().unwrap().unwrap().kind, "task.paused");
    assert_eq!(problem(service.client.task_events_stream("HELLO-9", None)).status, 404);
}

#[test]
fn a_stream_survives_a_restart_without_a_gap_or_a_repetition() {
    let mut service = Service::start();
    let mut stream = service.client.events_stream(None).unwrap();
    service.submit("one");
    let mut seen = vec![stream.next().unwrap().unwrap()];
    service.restart();
    service.submit("two");
    let expected =
        history(&service, &EventQuery { after: Some(seen[0].id - 1), ..EventQuery::default() });
    while seen.len() < expected.len() {
        seen.push(stream.next().unwrap().unwrap());
    }
    assert_eq!(ids(&seen), ids(&expected));
}

#[test]
fn a_stream_that_has_told_nothing_yet_misses_nothing_at_a_restart() {
    let mut service = Service::start();
    service.submit("one");
    let client = service.client.clone();
    let mut stream = client.events_stream(None).unwrap();
    let reader = std::thread::spawn(move || stream.next().unwrap().unwrap());
    service.restart();
    service.submit("two");
    let told = reader.join().unwrap();
    assert_eq!((told.kind.as_str(), told.task.as_deref()), ("task.created", Some("HELLO-2")));
}

#[test]
fn open_streams_do_not_hold_the_shutdown_up() {
    let mut service = Service::start();
    let streams: Vec<_> = (0..4).map(|_| service.client.events_stream(None).unwrap()).collect();
    service.stop();
    drop(streams);
}
