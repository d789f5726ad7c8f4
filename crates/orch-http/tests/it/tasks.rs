//! Tasks: submitted, listed, shown, acted on.

use std::collections::BTreeSet;

use orch_api::{NewTask, StageMark, TaskQuery};

use crate::service::{Service, problem};

fn new(title: &str) -> NewTask {
    NewTask { title: title.to_owned(), ..NewTask::default() }
}

#[test]
fn a_submitted_task_is_there_with_everything_about_it() {
    let service = Service::start();
    let body = br#"{"title":" Say hello ","body":"to all","priority":3,"repo":"hello"}"#;
    let json = ("Content-Type", "application/json; charset=utf-8");
    let answer = service.send("POST", "/tasks", &[json], body);
    assert_eq!((answer.status, answer.header("location")), (201, Some("/tasks/HELLO-1")));
    let task = service.client.task("HELLO-1").unwrap();
    let summary = &task.summary;
    assert_eq!((summary.title.as_str(), task.body.as_str()), ("Say hello", "to all"));
    assert_eq!((summary.status.as_str(), summary.state.as_str()), ("open", "ready"));
    assert_eq!((summary.priority, task.gate_slot), (3, Some(0)));
    let marks: Vec<_> = task.pipeline.iter().map(|s| (s.name.as_str(), s.mark)).collect();
    assert_eq!(
        marks,
        [
            ("development", StageMark::Current),
            ("review", StageMark::Ahead),
            ("testing", StageMark::Ahead)
        ]
    );
    assert_eq!((task.jobs.len(), task.runs.len(), task.cost.runs), (1, 0, 0));
    assert_eq!(task.why, service.client.why("HELLO-1").unwrap());
    assert!(task.why.reasons.iter().all(|reason| !reason.is_empty()), "{:?}", task.why);
}

#[test]
fn the_same_key_submits_once_and_another_request_under_it_is_refused() {
    let service = Service::start();
    let first = service.client.submit(&new("once"), Some("key-1")).unwrap();
    let again = service.client.submit(&new("once"), Some("key-1")).unwrap();
    assert_eq!((first.created, again.created), (true, false));
    assert_eq!(first.task.key, again.task.key);
    assert_eq!(problem(service.client.submit(&new("other"), Some("key-1"))).status, 422);
    assert!(service.client.submit(&new("once"), Some("key-2")).unwrap().created);
    assert_eq!(service.client.status().unwrap().tasks.open, 2);
}

#[test]
fn many_clients_with_one_key_submit_one_task() {
    let service = Service::start();
    let keys: BTreeSet<String> = std::thread::scope(|scope| {
        let client = &service.client;
        let calls: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| client.submit(&new("once"), Some("k")).unwrap().task.key))
            .collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    assert_eq!(keys.len(), 1);
}

#[test]
fn paging_walks_everything_exactly_once_while_more_comes() {
    let service = Service::start();
    let submitted: Vec<String> =
        (0..23).map(|n| service.submit(&format!("task {n}")).key).collect();
    for limit in [1, 5, 23, 24] {
        let query = TaskQuery { limit: Some(limit), ..TaskQuery::default() };
        let mut walk = service.client.every_task(&query);
        let first = walk.next().unwrap().unwrap().key;
        // Newest first: a task submitted meanwhile stands before everything still to come.
        service.submit("meanwhile");
        let rest: Vec<String> = walk.map(|task| task.unwrap().key).collect();
        let mut seen: Vec<String> = std::iter::once(first).chain(rest).collect();
        let unique: BTreeSet<_> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "limit {limit}");
        seen.reverse();
        assert_eq!(seen[..submitted.len()], submitted[..], "limit {limit}");
    }
}

#[test]
fn lists_are_filtered() {
    let service = Service::start();
    service.add_repo("other", "OTHER");
    for repo in ["hello", "hello", "other"] {
        let task = NewTask { repo: Some(repo.to_owned()), ..new("x") };
        service.client.submit(&task, None).unwrap();
    }
    assert_eq!(problem(service.client.submit(&new("which?"), None)).status, 422);
    service.client.cancel("HELLO-2", Some("not needed")).unwrap();
    let keys = |query: TaskQuery| -> Vec<String> {
        let page = service.client.tasks(&query).unwrap();
        page.items.into_iter().map(|task| task.key).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    let table = [
        (TaskQuery { repo: some("other"), ..TaskQuery::default() }, vec!["OTHER-1"]),
        (TaskQuery { state: some("cancelled"), ..TaskQuery::default() }, vec!["HELLO-2"]),
        (TaskQuery { state: some("open"), ..TaskQuery::default() }, vec!["OTHER-1", "HELLO-1"]),
        (TaskQuery { stage: some("testing"), ..TaskQuery::default() }, vec![]),
        (TaskQuery { repo: some("unknown"), ..TaskQuery::default() }, vec![]),
    ];
    for (query, expected) in table {
        assert_eq!(keys(query.clone()), expected, "{query:?}");
    }
}

#[test]
fn wishes_that_the_state_does_not_allow_are_conflicts() {
    let service = Service::start();
    service.submit("one");
    let client = &service.client;
    assert_eq!(problem(client.approve("HELLO-1", Some("me"))).status, 409);
    assert_eq!(problem(client.answer("HELLO-1", "yes")).status, 409);
    assert_eq!(client.retry("HELLO-1").unwrap().state, "ready");
    let cancelled = client.cancel("HELLO-1", Some("changed my mind")).unwrap();
    assert_eq!((cancelled.status.as_str(), cancelled.state.as_str()), ("cancelled", "cancelled"));
    let task = client.task("HELLO-1").unwrap();
    assert_eq!(task.cancel_reason.as_deref(), Some("changed my mind"));
    for again in [
        problem(client.cancel("HELLO-1", None)),
        problem(client.retry("HELLO-1")),
        problem(client.pause("HELLO-1", None)),
    ] {
        assert_eq!(again.status, 409, "{again:?}");
    }
    assert_eq!(problem(client.task("HELLO-2")).status, 404);
    assert_eq!(problem(client.task("../status")).status, 404);
}

#[test]
fn a_repository_whose_settings_are_broken_takes_no_task_and_says_why() {
    let service = Service::start();
    let file = service.dir.path().join("checkouts/hello/orch.toml");
    std::fs::write(file, "[pipeline]\nstagse = [\"development\"]\n").unwrap();
    let refused = problem(service.client.submit(&new("x"), None));
    assert_eq!(refused.status, 409);
    assert!(refused.to_string().contains("stagse"), "{refused}");
}
