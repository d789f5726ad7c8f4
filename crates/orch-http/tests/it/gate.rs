//! The serial gate and the repositories.

use orch_api::RegisterRepo;

use crate::service::{Service, problem};

#[test]
fn pausing_lets_the_next_in_and_is_idempotent() {
    let service = Service::start();
    let client = &service.client;
    for title in ["one", "two"] {
        service.submit(title);
    }
    let gate = || client.queue().unwrap().serial_gate.repos.remove(0);
    assert_eq!(gate().holder.as_deref(), Some("HELLO-1"));
    assert_eq!(gate().waiting, ["HELLO-2"]);
    for reason in [Some("lunch"), Some("another reason"), None] {
        let paused = client.pause("HELLO-1", reason).unwrap();
        assert_eq!((paused.state.as_str(), paused.paused), ("paused", true));
    }
    let after = gate();
    assert_eq!(after.holder.as_deref(), Some("HELLO-2"));
    assert_eq!(after.paused[0].reason.as_deref(), Some("lunch"), "the first reason stays");
    for _ in 0..2 {
        let resumed = client.resume("HELLO-1").unwrap();
        assert_eq!((resumed.state.as_str(), resumed.paused), ("waiting_at_gate", false));
    }
    assert_eq!(client.why("HELLO-1").unwrap().state, "waiting_at_gate");
}

#[test]
fn a_frozen_repository_lets_nobody_in() {
    let service = Service::start();
    let client = &service.client;
    for _ in 0..2 {
        let frozen = client.freeze("hello", Some("release day")).unwrap();
        assert_eq!((frozen.frozen, frozen.frozen_reason.as_deref()), (true, Some("release day")));
    }
    assert_eq!(service.submit("waits").state, "frozen");
    assert_eq!(client.task("HELLO-1").unwrap().why.state, "frozen");
    assert!(client.queue().unwrap().serial_gate.repos[0].frozen);
    for _ in 0..2 {
        assert!(!client.unfreeze("hello").unwrap().frozen);
    }
    assert_eq!(client.task("HELLO-1").unwrap().summary.state, "ready");
}

#[test]
fn a_body_may_leave_the_reason_out_and_nothing_else() {
    let service = Service::start();
    service.submit("one");
    let json = [("Content-Type", "application/json")];
    for body in [r#"{"task":"HELLO-1"}"#, r#"{"task":"HELLO-1","reason":null}"#] {
        assert_eq!(service.send("POST", "/serial-gate/pause", &json, body.as_bytes()).status, 200);
    }
    let nothing = service.send("POST", "/serial-gate/pause", &json, b"");
    assert_eq!(nothing.problem().status, 400);
    assert_eq!(service.send("POST", "/tasks/HELLO-1/cancel", &[], b"").status, 200);
}

#[test]
fn repositories_are_paged_and_registered_by_their_checkout() {
    let service = Service::bare();
    let client = &service.client;
    for (name, prefix) in [("c", "C"), ("a", "A"), ("b", "B")] {
        service.add_repo(name, prefix);
    }
    let mut names = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = client.repos(Some(1), cursor.as_deref()).unwrap();
        names.extend(page.items.into_iter().map(|repo| repo.name));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    names.sort();
    assert_eq!(names, ["a", "b", "c"]);
    // A folder that is no checkout.
    let request = RegisterRepo { checkout: service.dir.path().display().to_string(), remote: None };
    assert_eq!(problem(client.register(&request)).status, 422);
}
