//! Alerts on their way out: to real servers that take them, refuse them, and say nothing.

use std::collections::BTreeSet;

use orch_testkit::until;

use crate::bed::{Bed, OK, Receiver};

const FAILS: &str = "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops";
const LATER: &str =
    "HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A task that is held at once, for a reason of its own.
fn held(bed: &Bed) {
    bed.suite("docker-that-is-not-here up");
    bed.add("one");
    bed.becomes("FAULT-1", "held");
}

/// Each receiver is told in its own form, once, signed where that is wanted; what one of them
/// refuses or never answers is tried again and keeps it from no other.
#[test]
fn each_receiver_is_told_and_a_deaf_one_delays_nobody() {
    let hook = Receiver::start(Box::new(|_| Some(OK)));
    let flaky = Receiver::start(Box::new(|call| Some(if call == 0 { LATER } else { OK })));
    let broken = Receiver::start(Box::new(|_| Some(FAILS)));
    let deaf = Receiver::start(Box::new(|_| None));
    let bed = Bed::new("infra = 0\n", |orch| {
        orch.with("ORCH_ALERTS_GATHER", "1ms")
            .with("ORCH_ALERTS_WEBHOOK_URL", &hook.url)
            .with("ORCH_ALERTS_WEBHOOK_SECRET", "sesame")
            .with("ORCH_ALERTS_SLACK_URL", &flaky.url)
            .with("ORCH_ALERTS_NTFY_URL", &broken.url)
            .with("ORCH_ALERTS_TELEGRAM_URL", deaf.url.trim_end_matches("/hook"))
            .with("ORCH_ALERTS_TELEGRAM_TOKEN", "1:a-token")
            .with("ORCH_ALERTS_TELEGRAM_CHAT", "-100")
    });
    let mut service = bed.orch.serve();
    held(&bed);
    until("the deaf one to be tried", || deaf.letters().first().cloned());
    until("the flaky one to be told at last", || (flaky.letters().len() >= 2).then_some(()));
    let told = hook.letters()[0].clone();
    assert!(
        told.json()["message"].as_str().unwrap().contains("FAULT-1 is held at testing"),
        "{told:?}"
    );
    assert!(told.header("x-orch-signature-256").starts_with("sha256="), "{told:?}");
    assert!(
        flaky.letters()[0].body.starts_with("{\"text\":"),
        "{flaky:?}",
        flaky = flaky.letters()
    );
    assert_eq!(deaf.letters()[0].path, "/bot1:a-token/sendMessage");
    let report = until("the failures to show", || {
        let report = bed.queue()["alerts"].take();
        report["last_error"].is_string().then_some(report)
    });
    assert_eq!((&report["pending"], &report["delivered"]), (&1.into(), &0.into()), "{report}");
    assert_eq!(hook.letters().len(), 1, "who has it is not told again");
    let ids: BTreeSet<String> = flaky.letters().iter().map(|letter| letter.body.clone()).collect();
    assert_eq!(ids.len(), 1, "a repetition is the same letter");
    assert!(!service.has_ended());
    let log = std::fs::read_to_string(bed.at().join("serve.log")).unwrap();
    for secret in ["1:a-token", "sesame", "/hook"] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
    drop(service);
}

/// What nobody could be told is kept and told by the next service, and is told once.
#[test]
fn an_alert_outlives_the_service_and_is_told_once() {
    let bed = Bed::new("infra = 0\n", |orch| {
        orch.with("ORCH_ALERTS_WEBHOOK_URL", "http://127.0.0.1:1/")
            .with("ORCH_ALERTS_GATHER", "1ms")
    });
    let service = bed.orch.serve();
    held(&bed);
    until("a failed delivery", || bed.queue()["alerts"]["last_error"].is_string().then_some(()));
    service.kill();

    let receiver = Receiver::start(Box::new(|_| Some(OK)));
    let orch = bed.orch.with("ORCH_ALERTS_WEBHOOK_URL", &receiver.url);
    let bed = Bed { orch, ..bed };
    let service = bed.orch.serve();
    let report = until("the alert to be delivered", || {
        let report = bed.queue()["alerts"].take();
        (report["delivered"] == 1).then_some(report)
    });
    assert_eq!((&report["pending"], &report["receivers"][0]), (&0.into(), &"webhook".into()));
    assert_eq!(receiver.letters().len(), 1);

    let tried = bed.orch.ok(bed.at(), &["alerts", "test"]);
    assert_eq!(tried, "webhook: told\n");
    assert!(receiver.letters()[1].body.contains("can tell you things here"));
    let doctor = bed.orch.run(&bed.repository.checkout, &["doctor", "--json"]);
    assert!(String::from_utf8_lossy(&doctor.stdout).contains("told to webhook"));
    drop(service);
    let bed = Bed { orch: bed.orch.with("ORCH_ALERTS_WEBHOOK_URL", "http://127.0.0.1:1/"), ..bed };
    let refused = bed.orch.run(bed.at(), &["alerts", "test"]);
    assert_eq!(refused.status.code(), Some(1));
}
