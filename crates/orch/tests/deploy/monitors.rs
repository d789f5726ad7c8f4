//! The watch after a deploy: it survives restarts, takes a bad revision back, and tells of a probe
//! that fails without acting on it.

use orch_testkit::until;
use serde_json::Value;

use crate::bed::Bed;

const WATCHED: &str = r#"
health_url = "http://127.0.0.1:@PORT@/health"
revision_command = "sh version.sh"
rollback_command = "sh rollback.sh"
monitor = "1h"
monitor_interval = "100ms"
"#;

fn monitor(bed: &Bed) -> Value {
    let queue = bed.orch.json(&["queue", "--json"]);
    queue["deploys"]["monitors"][0].clone()
}

fn until_state(bed: &Bed, state: &str) -> Value {
    until(&format!("the monitor to be {state}"), || {
        let monitor = monitor(bed);
        (monitor["state"] == state).then_some(monitor)
    })
}

fn deployed(bed: &Bed) -> String {
    let key = bed.submit();
    assert_eq!(bed.settled(&key), "done", "{}", bed.log(&key));
    key
}

#[test]
fn a_revision_that_goes_bad_after_a_restart_is_taken_back_though_its_task_is_done() {
    let bed = Bed::new(WATCHED);
    let service = bed.serve();
    let key = deployed(&bed);
    until("a look", || (monitor(&bed)["looks"].as_u64() > Some(0)).then_some(()));
    let why = bed.why(&key);
    assert!(why.contains("post-deploy-monitor watches"), "{why}");
    service.kill();
    let service = bed.serve();
    // The switch lives in the service that goes bad: the one before it starts healthy again.
    bed.say("mood-of-new", "bad");
    let ended = until_state(&bed, "rolled_back");
    assert!(ended["reason"].as_str().is_some_and(|reason| reason.contains("HTTP 500")), "{ended}");
    assert_eq!((bed.runs(&key).as_str(), bed.ran("rollback.sh")), ("old", 1));
    let why = bed.why(&key);
    assert!(why.contains("post-deploy-monitor took") && why.contains("done"), "{why}");
    drop(service);
}

#[test]
fn a_probe_that_fails_is_told_and_rolls_nothing_back() {
    let bed = Bed::new(WATCHED);
    let service = bed.serve();
    let key = deployed(&bed);
    bed.say("blocked", "");
    let told = until("the probe's fault to be told", || {
        let events = bed.orch.ok(&bed.repository.checkout, &["events", "--json"]);
        events.contains("monitor.alerted").then_some(events)
    });
    assert!(told.contains("nothing is rolled back on that"), "{told}");
    assert_eq!((bed.runs(&key).as_str(), bed.ran("rollback.sh")), ("new", 0));
    assert_eq!(monitor(&bed)["state"], "watching");
    drop(service);
}

#[test]
fn a_next_deploy_takes_the_watch_over() {
    let bed = Bed::new(WATCHED);
    let service = bed.serve();
    deployed(&bed);
    deployed(&bed);
    let queue = bed.orch.json(&["queue", "--json"]);
    let states: Vec<&str> = queue["deploys"]["monitors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|monitor| monitor["state"].as_str())
        .collect();
    assert_eq!(states, ["watching", "superseded"]);
    assert_eq!(queue["deploys"]["targets"][0]["holder"], Value::Null);
    drop(service);
}
