//! The machine against every kind of version, and against a world that does anything at any time.

use proptest::prelude::*;

use super::*;

const LIMITS: Limits =
    Limits { healthy_within: Duration::from_secs(30), stop_within: Duration::from_secs(10) };

fn version(name: &str) -> VersionName {
    VersionName::new(name).unwrap()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn begin(trial: Option<Trial>) -> (Machine, Vec<Action>) {
    Machine::begin(LIMITS, version("one"), trial, at(0))
}

fn request() -> Event {
    Event::Requested { id: "s1".to_owned(), to: version("two") }
}

fn trial(starts: u32, leg: Leg) -> Trial {
    Trial { id: "s1".to_owned(), to: version("two"), from: version("one"), starts, leg }
}

fn back(reason: &str) -> Leg {
    Leg::Back { reason: reason.to_owned() }
}

/// A machine whose first version serves and whose second was just started on trial.
fn on_trial() -> Machine {
    let (mut machine, actions) = begin(None);
    assert_eq!(actions, []);
    assert_eq!(machine.handle(at(0), Event::Tick), [Action::Start]);
    let asked = machine.handle(at(1), request());
    let forth = trial(0, Leg::Forth);
    let expected = [Action::Record(Some(forth)), Action::Point(version("two")), Action::Terminate];
    assert_eq!(asked, expected, "the intent comes first");
    assert_eq!(machine.handle(at(2), Event::Exited("told to".to_owned())), []);
    let started = machine.handle(at(2), Event::Tick);
    assert_eq!(started, [Action::Record(Some(trial(1, Leg::Forth))), Action::Start]);
    machine
}

fn returned(reason: &str, trouble: Option<&str>) -> Ended {
    Ended::Returned { reason: reason.to_owned(), trouble: trouble.map(str::to_owned) }
}

/// Lets the version before come up well; gives how the switch ended.
fn come_up(machine: &mut Machine, now: u64) -> Ended {
    assert!(machine.handle(at(now), Event::Tick).ends_with(&[Action::Start]));
    let mut actions = vec![];
    for second in 1..=u64::from(PASSES) {
        actions = machine.handle(at(now + second), Event::Probed(Probe::Healthy));
    }
    let [Action::Close { ended, .. }, Action::Record(None)] = &actions[..] else {
        panic!("{actions:?}")
    };
    ended.clone()
}

#[test]
fn a_healthy_version_stays() {
    let mut machine = on_trial();
    let not_yet = Event::Probed(Probe::NotYet("no answer".to_owned()));
    // Flapping does not count: the answers have to be in a row.
    for event in [not_yet.clone(), Event::Probed(Probe::Healthy), not_yet] {
        assert_eq!(machine.handle(at(3), event), []);
    }
    for _ in 1..PASSES {
        assert_eq!(machine.handle(at(4), Event::Probed(Probe::Healthy)), []);
    }
    let actions = machine.handle(at(5), Event::Probed(Probe::Healthy));
    let close = Action::Close { trial: trial(1, Leg::Forth), ended: Ended::Switched };
    assert_eq!(actions, [close, Action::Record(None)]);
    assert!(machine.accepts());
    assert_eq!(machine.current(), &version("two"));
}

#[test]
fn a_version_that_ends_at_its_start_is_followed_by_the_one_before_at_once() {
    let mut machine = on_trial();
    let actions = machine.handle(at(3), Event::Exited("exit status 101".to_owned()));
    let expected = [
        Action::Record(Some(trial(0, back("exit status 101")))),
        Action::Point(version("one")),
        Action::ReturnDatabase,
    ];
    assert_eq!(actions, expected);
    assert_eq!(come_up(&mut machine, 3), returned("exit status 101", None));
    assert_eq!(machine.current(), &version("one"));
}

#[test]
fn a_version_that_hangs_flaps_or_is_another_is_stopped_first() {
    let healthy = |second| (second, Event::Probed(Probe::Healthy));
    let not_yet = |second| (second, Event::Probed(Probe::NotYet("503".to_owned())));
    let wrong = Event::Probed(Probe::Wrong("it is revision x".to_owned()));
    let table = [
        (vec![], (32, Event::Tick), "it was not healthy within 30 s: it was never asked"),
        (
            vec![healthy(5), not_yet(6), healthy(20), healthy(21), not_yet(22), healthy(31)],
            (32, Event::Tick),
            "it was not healthy within 30 s: 503",
        ),
        (vec![healthy(3)], (4, wrong), "it is revision x"),
    ];
    for (before, (second, last), reason) in table {
        let mut machine = on_trial();
        for (second, event) in before {
            assert_eq!(machine.handle(at(second), event), []);
        }
        let actions = machine.handle(at(second), last);
        let failed = trial(0, back(reason));
        assert_eq!(actions, [Action::Record(Some(failed)), Action::Terminate]);
        assert_eq!(machine.handle(at(second + 9), Event::Tick), []);
        assert_eq!(machine.handle(at(second + 10), Event::Tick), [Action::Kill]);
        let gone = machine.handle(at(second + 11), Event::Exited("killed".to_owned()));
        assert_eq!(gone, [Action::Point(version("one")), Action::ReturnDatabase]);
        assert_eq!(come_up(&mut machine, second + 11), returned(reason, None));
    }
}

#[test]
fn where_the_version_before_fails_too_that_is_said_and_it_is_kept_alive() {
    let mut machine = on_trial();
    let _ = machine.handle(at(3), Event::Exited("boom".to_owned()));
    assert!(machine.handle(at(3), Event::Tick).ends_with(&[Action::Start]));
    let actions = machine.handle(at(4), Event::Exited("port taken".to_owned()));
    let [Action::Close { ended, .. }, Action::Record(None)] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(*ended, returned("boom", Some("port taken")));
    assert_eq!(machine.handle(at(4), Event::Tick), [], "not at once");
    assert_eq!(machine.handle(at(5), Event::Tick), [Action::Start]);
}

#[test]
fn where_the_database_went_on_the_new_version_is_kept_and_that_is_said() {
    let mut machine = on_trial();
    let _ = machine.handle(at(3), Event::Exited("boom".to_owned()));
    let actions = machine.handle(at(3), Event::DatabaseStays("3 events since".to_owned()));
    let reason = "boom; there is no way back: 3 events since".to_owned();
    let close = Action::Close { trial: trial(0, back("boom")), ended: Ended::Kept { reason } };
    assert_eq!(actions, [Action::Point(version("two")), close, Action::Record(None)]);
    assert_eq!(machine.current(), &version("two"));
    assert_eq!(machine.handle(at(60), Event::Tick), [Action::Start]);
}

#[test]
fn crashes_outside_of_trials_are_answered_by_starts_further_and_further_apart() {
    let (mut machine, _) = begin(None);
    let mut waits = vec![];
    let mut now = 0;
    for _ in 0..8 {
        let _ = machine.handle(at(now), Event::Tick);
        let _ = machine.handle(at(now), Event::Exited("crash".to_owned()));
        let wait =
            (0..100).find(|wait| !machine.clone().handle(at(now + wait), Event::Tick).is_empty());
        waits.push(wait.unwrap());
        now += wait.unwrap();
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
    let _ = machine.handle(at(now), Event::Tick);
    let _ = machine.handle(at(now + 60), Event::Tick);
    let _ = machine.handle(at(now + 61), Event::Exited("crash".to_owned()));
    assert_eq!(machine.handle(at(now + 62), Event::Tick), [Action::Start], "it had settled");
}

/// A crash of the machine at any point: what was recorded is taken up, a bounded number of times.
#[test]
fn a_trial_is_taken_up_after_a_crash_and_not_for_ever() {
    for starts in 0..STARTS {
        let (mut machine, first) = begin(Some(trial(starts, Leg::Forth)));
        assert_eq!(first, [Action::Point(version("two"))], "also where it was not moved yet");
        let started = machine.handle(at(0), Event::Tick);
        let recorded = Action::Record(Some(trial(starts + 1, Leg::Forth)));
        assert_eq!(started, [recorded, Action::Start]);
    }
    let (mut machine, _) = begin(Some(trial(STARTS, Leg::Forth)));
    let actions = machine.handle(at(0), Event::Tick);
    assert!(
        matches!(&actions[..], [Action::Record(Some(_)), Action::Point(one), Action::ReturnDatabase]
            if *one == version("one")),
        "{actions:?}"
    );
    let (mut machine, first) = begin(Some(trial(0, back("boom"))));
    assert_eq!(first, [Action::Point(version("one")), Action::ReturnDatabase]);
    assert_eq!(come_up(&mut machine, 0), returned("boom", None));
}

#[test]
fn a_switch_to_the_same_version_is_done_already() {
    let (mut machine, _) = begin(None);
    let _ = machine.handle(at(0), Event::Tick);
    let same = Event::Requested { id: "s1".to_owned(), to: version("one") };
    let actions = machine.handle(at(1), same);
    assert!(matches!(&actions[..], [Action::Close { ended: Ended::Switched, .. }]), "{actions:?}");
    assert!(machine.is_up(), "nothing was stopped");
}

#[test]
fn told_to_end_it_ends_the_service_and_leaves_the_trial_for_the_next() {
    let mut machine = on_trial();
    assert_eq!(machine.handle(at(3), Event::Stop), [Action::Terminate]);
    assert!(!machine.accepts());
    assert_eq!(machine.handle(at(4), Event::Exited("told to".to_owned())), [Action::Quit]);
    assert_eq!(machine.trial(), Some(&trial(1, Leg::Forth)));
}

/// What a world may do to the machine.
fn event() -> impl Strategy<Value = (u64, Event)> {
    let event = prop_oneof![
        3 => Just(Event::Tick),
        2 => Just(request()),
        2 => Just(Event::Exited("ended".to_owned())),
        3 => Just(Event::Probed(Probe::Healthy)),
        1 => Just(Event::Probed(Probe::NotYet("503".to_owned()))),
        1 => Just(Event::Probed(Probe::Wrong("other".to_owned()))),
        1 => Just(Event::DatabaseStays("used".to_owned())),
    ];
    (0_u64..40, event)
}

proptest! {
    /// At most one service runs, its database goes back only while none does, what `current` names is
    /// what is started, and every switch that was begun is closed once, however it goes on.
    #[test]
    fn whatever_happens_one_service_runs_and_every_switch_ends(
        events in proptest::collection::vec(event(), 0..80),
    ) {
        let (mut machine, _) = begin(None);
        let (mut now, mut runs, mut open, mut database_asked) = (0, false, 0_i32, false);
        let mut current = version("one");
        let calm = (0..400).map(|_| (2, Event::Tick));
        let healthy = (0..8).map(|_| (1, Event::Probed(Probe::Healthy)));
        for (wait, event) in events.into_iter().chain(calm).chain(healthy) {
            now += wait;
            match &event {
                // The world keeps to what can be: nothing ends that does not run.
                Event::Exited(_) | Event::Probed(_) if !runs => continue,
                Event::DatabaseStays(_) if !database_asked => continue,
                Event::Exited(_) => runs = false,
                _ => {}
            }
            database_asked = false;
            let accepted = matches!(event, Event::Requested { .. })
                && machine.accepts()
                && *machine.current() != version("two");
            open += i32::from(accepted);
            for action in machine.handle(at(now), event) {
                match action {
                    Action::Start => {
                        prop_assert!(!runs);
                        prop_assert_eq!(&current, machine.current());
                        runs = true;
                    }
                    Action::Point(version) => current = version,
                    Action::ReturnDatabase => {
                        prop_assert!(!runs);
                        database_asked = true;
                    }
                    Action::Terminate => prop_assert!(runs),
                    // A killed process is gone.
                    Action::Kill => {
                        prop_assert!(runs);
                        runs = false;
                        let gone = machine.handle(at(now), Event::Exited("killed".to_owned()));
                        for action in gone {
                            if let Action::Point(version) = action {
                                current = version;
                            }
                        }
                    }
                    Action::Close { trial, ended } => {
                        let same = trial.to == trial.from;
                        open -= i32::from(!same);
                        let stays = matches!(ended, Ended::Switched | Ended::Kept { .. });
                        let expected = if stays { trial.to } else { trial.from };
                        prop_assert_eq!(&expected, machine.current());
                    }
                    Action::Record(trial) => prop_assert_eq!(trial.as_ref(), machine.trial()),
                    Action::Quit => prop_assert!(false, "nobody said so"),
                }
            }
        }
        prop_assert_eq!(open, 0);
        prop_assert!(machine.accepts());
    }
}
