//! Health, status and queue.

use crate::service::Service;

#[test]
fn a_fresh_service_is_healthy_and_ready() {
    let service = Service::bare();
    assert_eq!(service.client.health().unwrap().status, "ok");
    assert_eq!(service.client.ready().unwrap().status, "ready");
    // Probes add what they like.
    assert_eq!(service.send("GET", "/health?probe=1", &[], b"").status, 200);
    let status = service.client.status().unwrap();
    assert_eq!((status.version.as_str(), status.revision.as_deref()), ("0.0.0-test", Some("cafe")));
    assert_eq!((status.host.as_str(), status.database.kind.as_str()), ("test-host", "sqlite"));
    assert_eq!((status.tasks.open, status.last_event_id), (0, 0));
}

#[test]
fn status_counts_and_the_queue_shows_what_runs_and_what_is_next() {
    let service = Service::start();
    service.add_repo("other", "OTHER");
    for repo in ["hello", "hello", "other"] {
        let task = orch_api::NewTask {
            title: "x".to_owned(),
            repo: Some(repo.to_owned()),
            ..orch_api::NewTask::default()
        };
        service.client.submit(&task, None).unwrap();
    }
    let claim = service.claim(1);
    let status = service.client.status().unwrap();
    assert_eq!(status.tasks.open, 3);
    let development = &status.tasks.by_stage["development"];
    assert_eq!((development["running"], development["queued"], development["waiting"]), (1, 1, 1));
    let queue = service.client.queue().unwrap();
    assert_eq!((queue.jobs.running, queue.jobs.queued, queue.jobs.held), (1, 2, 0));
    assert_eq!(queue.running[0].key, claim.task.key.to_string());
    assert_eq!(queue.next.iter().map(|n| n.key.as_str()).collect::<Vec<_>>(), ["OTHER-1"]);
    assert_eq!((queue.serial_gate.enabled, queue.serial_gate.width), (true, 1));
    assert_eq!((queue.test_runner.enabled, queue.staging_runner.exec_host_side), (true, true));
    assert_eq!(queue.staging_runner.preflight, None);
}

/// The names that other programs rely on, as bytes and not through our own types.
#[test]
fn the_queue_has_the_blocks_of_the_contract() {
    let service = Service::start();
    service.submit("one");
    service.client.pause("HELLO-1", Some("why not")).unwrap();
    let answer = service.send("GET", "/queue", &[], b"");
    let queue: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    for pointer in [
        "/jobs/queued",
        "/jobs/running",
        "/jobs/held",
        "/running",
        "/next",
        "/reaper/last_tick_at",
        "/reaper/ticks_total",
        "/reaper/reaped_total",
        "/reaper/impossible_queued_total",
        "/reaper/sanitize_enabled",
        "/serial_gate/enabled",
        "/serial_gate/width",
        "/serial_gate/repos/0/repo",
        "/serial_gate/repos/0/frozen",
        "/serial_gate/repos/0/holder",
        "/serial_gate/repos/0/waiting",
        "/serial_gate/repos/0/paused/0/key",
        "/serial_gate/repos/0/paused/0/paused_at",
        "/serial_gate/repos/0/paused/0/reason",
        "/test_runner/enabled",
        "/staging_runner/enabled",
        "/staging_runner/exec_host_side",
        "/staging_runner/preflight",
        "/staging_runner/suite_ran",
        "/staging_runner/permanent_env",
        "/staging_runner/transient_infra",
        "/staging_runner/unknown",
        "/test_runner/cancelled",
        "/staging_runner/deferred",
        "/staging_runner/held",
        "/merge_gate/landed",
        "/deploys/targets",
        "/deploys/monitors",
        "/workers",
    ] {
        assert!(queue.pointer(pointer).is_some(), "{pointer} is missing in {queue:#}");
    }
}
