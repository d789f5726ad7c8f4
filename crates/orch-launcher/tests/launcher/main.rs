//! The launcher with stand-in versions of every kind, as real processes over real files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bed;
mod crashes;
mod files;

use std::time::Duration;

use bed::{Bed, name};
use orch_launcher::{Request, SwitchResult, ask, bad};
use orch_testkit::until;

/// The matrix: how a new version may be, and what becomes of a switch to it.
#[test]
fn every_kind_of_version() {
    let whole = Duration::from_mins(1);
    let short = Duration::from_secs(3);
    let other = format!("revision={}", "e".repeat(40));
    let table: [(&str, &str, Duration, Option<&str>); 8] = [
        ("healthy", "", whole, None),
        ("slow to start", "late_ms=1500", whole, None),
        ("crash at start", "mode=crash", whole, Some("exit status: 101")),
        ("dies on trial", "mode=dies", whole, Some("exit status: 7")),
        ("too slow", "late_ms=60000", short, Some("does not say where it listens")),
        ("hangs and is deaf", "mode=deaf", short, Some("not healthy within 3 s")),
        ("health flaps", "mode=flap", short, Some("not healthy within 3 s")),
        ("wrong revision", &other, whole, Some("serves revision eeeee")),
    ];
    std::thread::scope(|scope| {
        for row in table {
            scope.spawn(move || one_kind(row));
        }
    });
}

fn one_kind((kind, behaviour, healthy_within, failure): (&str, &str, Duration, Option<&str>)) {
    let bed = Bed::new();
    let launcher = bed.launch_with(healthy_within);
    bed.serves('a', 1);
    bed.install('b', behaviour);
    let result = bed.switch("s1", 'b');
    let Some(failure) = failure else {
        assert_eq!(result, SwitchResult::Switched, "{kind}");
        assert_eq!(bed.prefix.current(), Some(name('b')), "{kind}");
        assert_eq!(bed.prefix.previous(), Some(name('a')), "{kind}");
        return launcher.stop().unwrap();
    };
    let SwitchResult::Returned { reason, trouble: None } = result else {
        panic!("{kind}: {result:?}")
    };
    assert!(reason.contains(failure), "{kind}: {reason}");
    assert_eq!(bed.prefix.current(), Some(name('a')), "{kind}");
    assert!(bad(&bed.prefix, &name('b')).is_some_and(|bad| bad.reason == reason), "{kind}");
    assert_eq!(bed.notes().iter().filter(|note| note.starts_with("return for a")).count(), 1);
    // It is not tried again by itself, and is on demand.
    let refused = bed.switch("s2", 'b');
    assert!(matches!(&refused, SwitchResult::Refused { reason } if reason.contains("--again")));
    bed.behave('b', "");
    ask(&bed.prefix, &Request { id: "s3".to_owned(), to: name('b') }, true).unwrap();
    assert_eq!(bed.ended("s3"), SwitchResult::Switched, "{kind}");
    launcher.stop().unwrap();
}

/// The database has gone on with the new version: nothing is lost, and the outcome says so.
#[test]
fn a_version_whose_database_can_not_go_back_is_kept_and_said_to_be() {
    let bed = Bed::new();
    bed.behave('a', "database=stays");
    let launcher = bed.launch();
    bed.install('b', "mode=crash");
    let result = bed.switch("s1", 'b');
    let SwitchResult::Kept { reason } = result else { panic!("{result:?}") };
    assert!(reason.contains("101") && reason.contains("something was recorded since"), "{reason}");
    assert_eq!(bed.prefix.current(), Some(name('b')));
    bed.behave('b', "");
    bed.serves('b', 1);
    launcher.stop().unwrap();
}

#[test]
fn a_crashed_service_is_started_again_and_a_stopped_launcher_leaves_none() {
    let bed = Bed::new();
    let launcher = bed.launch();
    bed.serves('a', 1);
    bed::kill(bed.service());
    bed.serves('a', 2);
    let pid = bed.service();
    launcher.stop().unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
}

#[test]
fn two_requests_are_two_switches_and_the_same_one_is_one() {
    let bed = Bed::new();
    bed.install('b', "late_ms=300");
    bed.ask("s1", 'b');
    bed.ask("s1", 'b');
    let busy = ask(&bed.prefix, &Request { id: "s2".to_owned(), to: name('a') }, false);
    assert!(busy.unwrap_err().to_string().contains("another switch"));
    let launcher = bed.launch();
    assert_eq!(bed.ended("s1"), SwitchResult::Switched);
    bed.ask("s1", 'b');
    assert_eq!(bed.switch("s2", 'a'), SwitchResult::Switched);
    assert_eq!(bed.prefix.previous(), Some(name('b')));
    assert_eq!(orch_launcher::recent(&bed.prefix).len(), 2);
    launcher.stop().unwrap();
}

#[test]
fn old_versions_go_and_those_in_use_stay() {
    let bed = Bed::new();
    for digit in ['b', 'c', 'd', 'e', 'f', '1', '2'] {
        bed.install(digit, "");
    }
    let launcher = bed.launch();
    assert_eq!(bed.switch("s1", '2'), SwitchResult::Switched);
    let kept = || -> Vec<_> { bed.prefix.versions().into_iter().map(|v| v.name).collect() };
    let expected: Vec<_> = ['2', '1', 'f', 'e', 'd', 'a'].map(name).into();
    until("old versions to go", || (kept() == expected).then_some(()));
    launcher.stop().unwrap();
}
