//! The same fault on several tasks.

use orch_testkit::until;
use serde_json::Value;

use crate::bed::{Bed, Letter, OK, Receiver};

/// A fault that each task's suite meets, and the words that `orch why` has to have for it.
const FAULTS: [(&str, &str); 3] = [
    ("docker-that-is-not-here compose up || exit 1", "command not found"),
    (
        "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1",
        "the docker daemon does not answer",
    ),
    ("echo 'tee: /tmp/x: No space left on device' >&2; exit 1", "the disk is full"),
];

fn list(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().filter_map(Value::as_str).collect()
}

/// Several tasks meet a missing program, a daemon that is down, a full disk: one pause, one alert
/// within seconds, nothing rolled back and nothing burnt; mended, all of them go on by themselves.
#[test]
fn a_shared_fault_is_one_pause_one_alert_and_nothing_burnt() {
    for (fault, words) in FAULTS {
        let receiver = Receiver::start(Box::new(|_| Some(OK)));
        let bed = Bed::new("infra = 0\nresume_held = true\n", |orch| {
            orch.with("ORCH_ALERTS_WEBHOOK_URL", &receiver.url)
                .with("ORCH_ALERTS_GATHER", "3s")
                .with("ORCH_BREAKER_PROBE", "4s")
        });
        bed.suite(fault);
        let service = bed.orch.serve();
        for title in ["one", "two", "three", "four"] {
            bed.add(title);
        }
        let report = until("a pause with those who wait", || {
            let report = bed.queue()["breakers"].take();
            let waiting = report["paused"][0]["waiting"].as_array().map_or(0, Vec::len);
            let held = report["causes"][0]["held"].as_array().map_or(0, Vec::len);
            (waiting + held == 4).then_some(report)
        });
        assert_eq!(report["paused"].as_array().unwrap().len(), 1, "{report}");
        assert_eq!(report["paused"][0]["channel"], "runner:fault/testing");
        assert_eq!(report["causes"].as_array().unwrap().len(), 1, "{report}");
        let held = list(&report["causes"][0]["held"]);
        assert!((1..=3).contains(&held.len()), "those that met it before the pause: {held:?}");
        for key in &held {
            let why = bed.why(key);
            assert_eq!(
                (&why["state"], &why["stage"]),
                (&"held".into(), &"testing".into()),
                "{why}"
            );
            assert!(why.to_string().contains(words), "{why}");
            assert!(why.to_string().contains("nothing was rolled back"), "{why}");
        }
        if let Some(key) = list(&report["paused"][0]["waiting"]).first() {
            let why = bed.becomes(key, "channel_paused");
            assert_eq!(why["stage"], "testing");
            assert!(why.to_string().contains(words), "{why}");
            assert!(
                why["next"].as_str().unwrap().contains("probe")
                    || why.to_string().contains("let through"),
                "{why}"
            );
        }
        let told = |what: &str| {
            let letters = receiver.letters();
            let of = |letter: &Letter| letter.json()["message"].as_str().unwrap().to_owned();
            letters.iter().map(of).filter(|message| message.contains(what)).collect::<Vec<_>>()
        };
        let paused = "testing of fault is paused for all tasks";
        until("somebody to be told", || (!told(paused).is_empty()).then_some(()));

        bed.suite("echo 'ok 1 - mended'");
        for key in ["FAULT-1", "FAULT-2", "FAULT-3", "FAULT-4"] {
            bed.landed_at_once(key);
        }
        let report = bed.queue();
        assert_eq!(report["breakers"]["paused"].as_array().unwrap().len(), 0, "{report}");
        assert_eq!(report["breakers"]["causes"].as_array().unwrap().len(), 0, "{report}");
        let over = "testing of fault works again";
        until("the all-clear", || (!told(over).is_empty()).then_some(()));
        assert_eq!((told(paused).len(), told(over).len()), (1, 1), "{:?}", told(""));
        assert!(told(paused)[0].contains(words), "{:?}", told(paused));
        drop(service);
    }
}

/// Without `resume_held` the held are offered together: one command sets all of them going. The
/// pause outlives a `kill -9` of the service, and the reconciler leaves the held where they are.
#[test]
fn the_held_of_one_cause_go_on_with_one_command() {
    let bed = Bed::new("infra = 0\n", |orch| orch.with("ORCH_BREAKER_PROBE", "1h"));
    bed.suite("docker-that-is-not-here up");
    let service = bed.orch.serve();
    bed.add("one");
    let why = bed.becomes("FAULT-1", "held");
    assert!(!why.to_string().contains("--cause"), "it shares its fault with nobody: {why}");
    bed.add("two");
    bed.becomes("FAULT-2", "held");
    let why = bed.becomes("FAULT-1", "held");
    let cause = bed.queue()["breakers"]["causes"][0]["cause"].as_str().unwrap().to_owned();
    assert!(
        why["next"].as_str().unwrap().contains(&format!("orch task retry --cause {cause}")),
        "{why}"
    );
    bed.add("three");
    bed.becomes("FAULT-3", "channel_paused");
    service.kill();

    let service = bed.orch.serve();
    bed.becomes("FAULT-3", "channel_paused");
    let mended = until("the reconciler to look around", || {
        let report = bed.queue();
        (report["reaper"]["ticks_total"].as_u64()? > 3).then_some(report)
    });
    assert_eq!(list(&mended["breakers"]["causes"][0]["held"]), ["FAULT-1", "FAULT-2"]);
    assert_eq!(list(&mended["breakers"]["paused"][0]["waiting"]), ["FAULT-3"]);
    let shown = bed.orch.ok(bed.at(), &["queue"]);
    assert!(shown.contains("testing of fault"), "{shown}");
    assert!(shown.contains(&format!("orch task retry --cause {cause}")), "{shown}");

    bed.suite("echo 'ok 1 - mended'");
    let nothing = bed.orch.run(bed.at(), &["task", "retry", "--cause", "00000000"]);
    assert_eq!(nothing.status.code(), Some(3));
    let going = bed.orch.ok(bed.at(), &["task", "retry", "--cause", &cause]);
    assert!(going.contains("FAULT-1, FAULT-2 goes on"), "{going}");
    for key in ["FAULT-1", "FAULT-2", "FAULT-3"] {
        bed.landed_at_once(key);
    }
    drop(service);
}

/// One task alone that meets a passing fault again and again, and another that is retried by hand:
/// a retry probes at once, and with the kill-switch off each task has its own budget again.
#[test]
fn a_retry_probes_at_once_and_the_kill_switch_ends_every_pause() {
    let bed = Bed::new("infra = 50\n", |orch| orch.with("ORCH_BREAKER_PROBE", "1h"));
    bed.suite("echo 'curl: (7) Failed to connect: Connection refused' >&2; exit 7");
    let service = bed.orch.serve();
    bed.add("one");
    bed.becomes("FAULT-1", "channel_paused");
    let probes = |bed: &Bed| bed.queue()["breakers"]["paused"][0]["probes"].as_u64().unwrap();
    assert_eq!(probes(&bed), 0);
    bed.orch.ok(bed.at(), &["task", "retry", "FAULT-1"]);
    until("the probe to be over", || (probes(&bed) == 1).then_some(()));
    bed.becomes("FAULT-1", "channel_paused");
    service.stop();

    let off = bed.orch.with("ORCH_BREAKER_ENABLED", "false");
    let bed = Bed { orch: off, ..bed };
    let service = bed.orch.serve();
    until("every pause to be over", || {
        bed.queue()["breakers"]["paused"].as_array()?.is_empty().then_some(())
    });
    bed.suite("echo 'ok 1 - mended'");
    bed.landed_at_once("FAULT-1");
    drop(service);
}
