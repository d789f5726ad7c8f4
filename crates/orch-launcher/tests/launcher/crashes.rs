//! A killed launcher, and a power cut at any point of a switch.

use orch_core::switch::{Leg, Trial};
use orch_launcher::SwitchResult;
use orch_testkit::until;

use crate::bed::{Bed, kill, name};

#[test]
fn a_killed_launcher_costs_no_restart() {
    let bed = Bed::new();
    let mut first = bed.launcher_process();
    bed.serves('a', 1);
    let service = bed.service();
    first.kill().unwrap();
    first.wait().unwrap();
    let launcher = bed.launch();
    bed.install('b', "");
    // It looks after the service that it found: it can replace it.
    assert_eq!(bed.switch("s1", 'b'), SwitchResult::Switched);
    let served = |digit: char| format!("serving {}", digit.to_string().repeat(40));
    assert_eq!(bed.notes(), [served('a'), served('b')], "each was started once");
    assert_ne!(bed.service(), service);
    launcher.stop().unwrap();
}

/// Killed in the middle of a trial: the next one goes on with it, with a version that becomes healthy
/// and with one that does not.
#[test]
fn a_launcher_killed_in_a_trial_is_followed_by_one_that_ends_it() {
    for (behaviour, expected) in [("late_ms=1000", "switched"), ("mode=dies", "returned")] {
        let bed = Bed::new();
        let mut first = bed.launcher_process();
        bed.serves('a', 1);
        bed.install('b', behaviour);
        bed.ask("s1", 'b');
        until("the trial", || bed.prefix.trial().unwrap().filter(|trial| trial.starts > 0));
        first.kill().unwrap();
        first.wait().unwrap();
        let launcher = bed.launch();
        let word = match bed.ended("s1") {
            SwitchResult::Switched => "switched",
            SwitchResult::Returned { trouble: None, .. } => "returned",
            other => panic!("{other:?}"),
        };
        assert_eq!(word, expected);
        launcher.stop().unwrap();
    }
}

/// What a power cut leaves: the trial on record, `current` moved or not yet, nobody running.
#[test]
fn a_power_cut_at_any_point_of_a_switch_is_made_up_for() {
    let forth = |starts| (Leg::Forth, starts);
    let back = (Leg::Back { reason: "it hung".to_owned() }, 0);
    let returned =
        |reason: &str| SwitchResult::Returned { reason: reason.to_owned(), trouble: None };
    let worn = "it was started 3 times and never became healthy";
    let table = [
        ('a', forth(0), SwitchResult::Switched),
        ('b', forth(0), SwitchResult::Switched),
        ('b', forth(2), SwitchResult::Switched),
        ('b', forth(3), returned(worn)),
        ('b', back.clone(), returned("it hung")),
        ('a', back, returned("it hung")),
    ];
    for (current, (leg, starts), expected) in table {
        let bed = Bed::new();
        bed.install('b', "");
        let trial = Trial { id: "s1".to_owned(), to: name('b'), from: name('a'), starts, leg };
        let record = serde_json::to_string(&trial).unwrap();
        std::fs::write(bed.prefix.path().join("trial.json"), record).unwrap();
        bed.prefix.point_current(&name(current)).unwrap();
        // The request may not have been taken away either.
        let request = serde_json::json!({ "id": "s1", "to": name('b') }).to_string();
        std::fs::write(bed.prefix.path().join("request.json"), request).unwrap();
        let launcher = bed.launch();
        let ended = bed.ended("s1");
        assert_eq!(ended, expected, "{trial:?}");
        let stays = if ended == SwitchResult::Switched { 'b' } else { 'a' };
        bed.serves(stays, 1);
        until("the request to go", || {
            orch_launcher::pending(&bed.prefix).unwrap().is_none().then_some(())
        });
        assert_eq!(bed.prefix.current(), Some(name(stays)));
        assert_eq!(bed.prefix.trial().unwrap(), None);
        launcher.stop().unwrap();
    }
}

/// Killed between moving `current` and ending the service before: that one is ended first.
#[test]
fn a_service_of_the_version_before_is_ended_and_a_stranger_is_left_alone() {
    let bed = Bed::new();
    bed.install('b', "");
    let mut first = bed.launcher_process();
    bed.serves('a', 1);
    first.kill().unwrap();
    first.wait().unwrap();
    bed.prefix.point_current(&name('b')).unwrap();
    let old = bed.service();
    let launcher = bed.launch();
    bed.serves('b', 1);
    assert_ne!(bed.service(), old);
    launcher.stop().unwrap();

    let elsewhere = Bed::new();
    let mut stranger = std::process::Command::new(elsewhere.prefix.program(&name('a')))
        .arg("serve")
        .env("ORCH_HOME", bed.home())
        .spawn()
        .unwrap();
    bed.serves('a', 2);
    let error = bed.launch().ends().unwrap_err();
    assert!(error.to_string().contains(&stranger.id().to_string()), "{error}");
    assert!(stranger.try_wait().unwrap().is_none());
    kill(stranger.id());
    stranger.wait().unwrap();
}

#[test]
fn one_launcher_at_a_time_and_none_without_a_version() {
    let bed = Bed::new();
    let launcher = bed.launch();
    bed.serves('a', 1);
    assert!(bed.prefix.launcher().is_some());
    let error = bed.launch().ends().unwrap_err();
    assert!(error.to_string().contains("another launcher"), "{error}");
    launcher.stop().unwrap();
    assert_eq!(bed.prefix.launcher(), None);
    std::fs::remove_file(bed.prefix.path().join("current")).unwrap();
    let error = bed.launch().ends().unwrap_err();
    assert!(error.to_string().contains("orch self install"), "{error}");
}
