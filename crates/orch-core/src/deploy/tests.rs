//! The machine, situation by situation, and its laws under any answer the world may give.

use proptest::prelude::*;

use super::*;
use crate::testing::{now, revision};

fn plan() -> Plan {
    Plan {
        purpose: Purpose::Deploy,
        revision: revision('b'),
        health: true,
        freshness: true,
        drain: false,
        rollback: true,
        rollback_check: false,
        require_rollback: false,
    }
}

fn healthy(digit: char) -> Seen {
    seen(Health::Healthy, is(digit))
}

fn is(digit: char) -> Running {
    Running::Is { revision: revision(digit) }
}

fn seen(health: Health, running: Running) -> Seen {
    Seen { health: Some(health), running: Some(running), looks: 3 }
}

fn bad() -> Health {
    Health::Unhealthy { what: "HTTP 500".into() }
}

fn down() -> Health {
    Health::Down { what: "connection refused".into() }
}

fn silent() -> Running {
    Running::Down { what: "connection refused".into() }
}

fn blind() -> Health {
    Health::Unreachable { what: "no such host".into() }
}

fn locked(last_good: Option<char>) -> StepResult {
    StepResult::Locked {
        epoch: 1,
        last_good: last_good.map(revision),
        newer: None,
        intervened: false,
        taken_over: None,
    }
}

fn ran(ran: Ran) -> StepResult {
    StepResult::Ran { ran, said: String::new() }
}

/// A situation, the answers of the world, and how it ends.
type Row = (&'static str, Vec<(&'static str, StepResult)>, &'static str);

/// What was deployed last, what runs, whether a check is set, its end, and the way back.
type WayRow = (Option<char>, Running, bool, Option<Ran>, &'static str);

/// Drives the machine with answers until it ends, or asks for something that has no answer.
fn drive(plan: &Plan, answers: &[(&str, StepResult)]) -> (Vec<&'static str>, Option<End>) {
    let mut journal: Vec<Entry> = Vec::new();
    let mut walked = Vec::new();
    let mut answers = answers.to_vec();
    loop {
        match next(plan, &journal) {
            Next::Act(action) => {
                walked.push(action.word());
                let at = answers.iter().position(|(word, _)| *word == action.word());
                let Some(at) = at else { return (walked, None) };
                let (_, result) = answers.remove(at);
                journal.push(Entry { action, result: Some(result) });
            }
            Next::Repair(action) => panic!("everything was confirmed, and {action:?} is not"),
            Next::End(end) => return (walked, Some(end)),
        }
    }
}

fn word(end: Option<&End>) -> &'static str {
    match end {
        None => "open",
        Some(End::Done { .. }) => "done",
        Some(End::Superseded { .. }) => "superseded",
        Some(End::Failed { loud: false, .. }) => "failed",
        Some(End::Failed { loud: true, .. }) => "failed!",
        Some(End::RolledBack { .. }) => "rolled back",
        Some(End::Stuck(stuck)) => match stuck.patience {
            Patience::Lock(_) => "waits",
            Patience::Moment => "deferred",
            Patience::Somebody => "held",
        },
    }
}

#[test]
fn each_situation_has_its_end() {
    let good = || ("lock", locked(Some('a')));
    let before = || ("look_before", StepResult::Seen { seen: healthy('a') });
    let deployed = || ("deploy", ran(Ran::Well));
    let verify = |seen: Seen| ("verify", StepResult::Seen { seen });
    let after = |seen: Seen| ("look_after", StepResult::Seen { seen });
    let back = || ("rollback", ran(Ran::Well));
    let restored = |seen: Seen| ("verify_rollback", StepResult::Seen { seen });
    let failed = || ("deploy", ran(Ran::Failed { exit_code: 3 }));
    let returned = |to: Option<char>| {
        ("deploy", ran(Ran::Returned { to: to.map(revision), reason: "it crashed".into() }))
    };
    let hung = || ("deploy", ran(Ran::Hung { limit_ms: 5 }));
    let vanished = || ("deploy", ran(Ran::Vanished { reason: "reboot".into() }));
    let infra = |passing| ran(Ran::Infra { reason: "ssh".into(), passing });
    let table: Vec<Row> = vec![
        ("healthy", vec![good(), before(), deployed(), verify(healthy('b'))], "done"),
        (
            "unhealthy",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(bad(), is('b'))),
                back(),
                restored(healthy('a')),
            ],
            "rolled back",
        ),
        (
            "crashed at start",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(down(), silent())),
                back(),
                restored(healthy('a')),
            ],
            "rolled back",
        ),
        (
            "a third revision",
            vec![
                good(),
                before(),
                deployed(),
                verify(healthy('c')),
                back(),
                restored(healthy('a')),
            ],
            "rolled back",
        ),
        ("nothing changed", vec![good(), before(), deployed(), verify(healthy('a'))], "failed"),
        (
            "it went back by itself",
            vec![good(), before(), returned(Some('a')), restored(healthy('a'))],
            "rolled back",
        ),
        (
            "it says that it went back, and did not",
            vec![good(), before(), returned(Some('a')), restored(healthy('b'))],
            "failed!",
        ),
        (
            "it says that it went back, and nobody can see it",
            vec![good(), before(), returned(Some('a')), restored(seen(blind(), is('a')))],
            "held",
        ),
        (
            "it went back to something without a revision",
            vec![good(), before(), returned(None)],
            "failed",
        ),
        (
            "the probe fails",
            vec![good(), before(), deployed(), verify(seen(blind(), is('b')))],
            "held",
        ),
        (
            "the freshness probe fails beside a bad answer",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(bad(), Running::Unreachable { what: "ssh".into() })),
            ],
            "held",
        ),
        (
            "refused, and nobody ever had an answer",
            vec![
                good(),
                ("look_before", StepResult::Seen { seen: seen(down(), silent()) }),
                deployed(),
                verify(seen(down(), silent())),
            ],
            "held",
        ),
        (
            "as bad as before",
            vec![
                good(),
                ("look_before", StepResult::Seen { seen: seen(bad(), is('a')) }),
                deployed(),
                verify(seen(bad(), is('b'))),
            ],
            "failed",
        ),
        (
            "the rollback fails",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(bad(), is('b'))),
                ("rollback", ran(Ran::Failed { exit_code: 1 })),
            ],
            "failed!",
        ),
        (
            "the old one stays bad",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(bad(), is('b'))),
                back(),
                restored(seen(bad(), is('a'))),
            ],
            "failed!",
        ),
        (
            "the rollback can't be looked at",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(bad(), is('b'))),
                back(),
                restored(seen(blind(), is('a'))),
            ],
            "held",
        ),
        (
            "ssh is down for the rollback",
            vec![
                good(),
                before(),
                deployed(),
                verify(seen(bad(), is('b'))),
                ("rollback", infra(false)),
            ],
            "held",
        ),
        (
            "failed, the old one runs",
            vec![good(), before(), failed(), after(healthy('a'))],
            "failed",
        ),
        (
            "failed halfway",
            vec![good(), before(), failed(), after(healthy('b')), back(), restored(healthy('a'))],
            "rolled back",
        ),
        (
            "failed, and can't be looked at",
            vec![good(), before(), failed(), after(seen(blind(), is('a')))],
            "held",
        ),
        ("hung, the new one runs", vec![good(), before(), hung(), after(healthy('b'))], "held"),
        ("hung, the old one runs", vec![good(), before(), hung(), after(healthy('a'))], "held"),
        (
            "hung, and it is broken",
            vec![
                good(),
                before(),
                hung(),
                after(seen(bad(), is('b'))),
                back(),
                restored(healthy('a')),
            ],
            "rolled back",
        ),
        ("ssh is down", vec![good(), before(), ("deploy", infra(true))], "deferred"),
        ("docker is missing", vec![good(), before(), ("deploy", infra(false))], "held"),
        (
            "vanished, but it was through",
            vec![good(), before(), vanished(), verify(healthy('b'))],
            "done",
        ),
        (
            "vanished, and is done again",
            vec![
                good(),
                before(),
                vanished(),
                verify(healthy('a')),
                deployed(),
                verify(healthy('b')),
            ],
            "done",
        ),
        (
            "vanished twice",
            vec![
                good(),
                before(),
                vanished(),
                verify(healthy('a')),
                vanished(),
                verify(healthy('a')),
            ],
            "held",
        ),
        (
            "another has the lock",
            vec![("lock", StepResult::Busy { by: "deploy 7".into(), until: now() })],
            "waits",
        ),
        (
            "a later one is there",
            vec![(
                "lock",
                StepResult::Locked {
                    epoch: 2,
                    last_good: Some(revision('c')),
                    newer: Some(revision('c')),
                    intervened: true,
                    taken_over: None,
                },
            )],
            "superseded",
        ),
    ];
    for (situation, answers, expected) in table {
        let (walked, end) = drive(&plan(), &answers);
        assert_eq!(word(end.as_ref()), expected, "{situation}: {walked:?} {end:?}");
    }
}

#[test]
fn the_way_back_is_proven_before_anything_is_deployed() {
    let before = |running: Running| StepResult::Seen { seen: seen(Health::Healthy, running) };
    let other = Running::Other { text: "abc1234".into() };
    let table: &[WayRow] = &[
        (None, is('a'), false, None, "proven a"),
        (Some('c'), is('a'), false, None, "proven a"),
        (Some('c'), is('b'), false, None, "proven c"),
        (Some('b'), is('b'), false, None, "unproven"),
        (None, other.clone(), false, None, "unproven"),
        (Some('c'), other, false, None, "proven c"),
        (None, is('a'), true, None, "ask"),
        (None, is('a'), true, Some(Ran::Well), "proven a"),
        (None, is('a'), true, Some(Ran::Failed { exit_code: 1 }), "unproven"),
        (None, is('a'), true, Some(Ran::Infra { reason: "ssh".into(), passing: true }), "deferred"),
        (None, is('a'), true, Some(Ran::Hung { limit_ms: 1 }), "deferred"),
    ];
    for (last_good, running, check, proof, expected) in table {
        let plan = Plan { rollback_check: *check, require_rollback: true, ..plan() };
        let mut answers =
            vec![("lock", locked(*last_good)), ("look_before", before(running.clone()))];
        answers.extend(proof.clone().map(|proof| ("prove_rollback", ran(proof))));
        let (walked, end) = drive(&plan, &answers);
        let mut journal = vec![
            Entry { action: Action::Lock, result: Some(locked(*last_good)) },
            Entry { action: Action::LookBefore, result: Some(before(running.clone())) },
        ];
        journal.extend(proof.clone().map(|proof| Entry {
            action: Action::ProveRollback { to: revision('a') },
            result: Some(ran(proof)),
        }));
        let way = match way_back(&plan, &journal) {
            _ if word(end.as_ref()) == "deferred" => "deferred".to_owned(),
            Way::Proven { to } => format!("proven {}", &to.as_str()[..1]),
            Way::Unproven { .. } => "unproven".to_owned(),
            Way::Ask { .. } => "ask".to_owned(),
        };
        assert_eq!(way, *expected, "{walked:?}");
        let deploys = walked.contains(&"deploy");
        assert_eq!(deploys, way.starts_with("proven"), "{expected}: {walked:?} {end:?}");
    }
}

#[test]
fn what_stood_goes_on_from_the_very_step_under_a_new_lock() {
    let entry = |action, result| Entry { action, result: Some(result) };
    let mut journal = vec![
        entry(Action::Lock, locked(Some('a'))),
        entry(Action::LookBefore, StepResult::Seen { seen: healthy('a') }),
        entry(Action::Deploy, ran(Ran::Well)),
        entry(Action::Verify, StepResult::Seen { seen: seen(blind(), is('b')) }),
    ];
    assert!(matches!(next(&plan(), &journal), Next::End(End::Stuck(_))));
    journal.push(entry(Action::Resume, StepResult::Resumed));
    assert_eq!(next(&plan(), &journal), Next::Act(Action::Lock));
    let mut intervened = journal.clone();
    journal.push(entry(Action::Lock, locked(Some('a'))));
    assert_eq!(next(&plan(), &journal), Next::Act(Action::Verify), "it is not deployed again");
    intervened.push(entry(
        Action::Lock,
        StepResult::Locked {
            epoch: 9,
            last_good: Some(revision('c')),
            newer: None,
            intervened: true,
            taken_over: None,
        },
    ));
    assert_eq!(
        next(&plan(), &intervened),
        Next::Act(Action::LookBefore),
        "somebody else was there meanwhile: everything is looked at anew"
    );
}

#[test]
fn what_was_not_confirmed_is_settled_by_looking() {
    let mut journal = vec![Entry { action: Action::Lock, result: Some(locked(None)) }];
    journal.push(Entry { action: Action::LookBefore, result: None });
    assert_eq!(next(&plan(), &journal), Next::Repair(Action::LookBefore));
}

fn any_health() -> impl Strategy<Value = Health> {
    prop_oneof![Just(Health::Healthy), Just(bad()), Just(down()), Just(blind())]
}

fn any_running() -> impl Strategy<Value = Running> {
    prop_oneof![
        Just(is('a')),
        Just(is('b')),
        Just(is('c')),
        Just(Running::Other { text: "abc1234".into() }),
        Just(silent()),
        Just(Running::Unreachable { what: "TLS".into() }),
    ]
}

fn any_ran() -> impl Strategy<Value = Ran> {
    prop_oneof![
        4 => Just(Ran::Well),
        1 => Just(Ran::Failed { exit_code: 2 }),
        1 => Just(Ran::Hung { limit_ms: 1 }),
        1 => any::<bool>().prop_map(|passing| Ran::Infra { reason: "x".into(), passing }),
        1 => Just(Ran::Vanished { reason: "x".into() }),
        1 => any::<bool>().prop_map(|known| Ran::Returned {
            to: known.then(|| revision('a')),
            reason: "x".into(),
        }),
    ]
}

/// What the world may answer to any action; whether the service is killed before it is confirmed,
/// and whether somebody sets it going again, are drawn too.
#[derive(Debug, Clone)]
struct Answer {
    health: Health,
    running: Running,
    ran: Ran,
    last_good: Option<char>,
    newer: bool,
    intervened: bool,
    busy: bool,
    killed: bool,
}

fn any_answer() -> impl Strategy<Value = Answer> {
    let lock = (
        proptest::option::of(prop_oneof![Just('a'), Just('b'), Just('c')]),
        proptest::bool::weighted(0.05),
        proptest::bool::weighted(0.1),
        proptest::bool::weighted(0.1),
        proptest::bool::weighted(0.2),
    );
    (any_health(), any_running(), any_ran(), lock).prop_map(
        |(health, running, ran, (last_good, newer, intervened, busy, killed))| Answer {
            health,
            running,
            ran,
            last_good,
            newer,
            intervened,
            busy,
            killed,
        },
    )
}

fn any_plan() -> impl Strategy<Value = Plan> {
    proptest::array::uniform7(any::<bool>()).prop_map(|[a, b, c, d, e, f, restore]| Plan {
        purpose: if restore && f {
            Purpose::Restore { to: revision('a'), evidence: "HTTP 500".into() }
        } else {
            Purpose::Deploy
        },
        revision: revision('b'),
        health: a,
        freshness: b,
        drain: c,
        rollback: d || (restore && f),
        rollback_check: e,
        require_rollback: f,
    })
}

fn answer(plan: &Plan, action: &Action, answer: &Answer) -> StepResult {
    match action {
        Action::Lock if answer.busy => StepResult::Busy { by: "deploy 7".into(), until: now() },
        Action::Lock => StepResult::Locked {
            epoch: 1,
            last_good: answer.last_good.map(revision),
            newer: answer.newer.then(|| revision('c')),
            intervened: answer.intervened,
            taken_over: None,
        },
        Action::Resume => StepResult::Resumed,
        action if action.is_command() => ran(answer.ran.clone()),
        _ => StepResult::Seen {
            seen: Seen {
                health: plan.health.then(|| answer.health.clone()),
                running: plan.freshness.then(|| answer.running.clone()),
                looks: 1,
            },
        },
    }
}

fn last_seen<'a>(journal: &'a [Entry], action: &str) -> Option<&'a Seen> {
    journal.iter().rev().find_map(|entry| match &entry.result {
        Some(StepResult::Seen { seen }) if entry.action.word() == action => Some(seen),
        _ => None,
    })
}

fn is_blind(seen: &Seen) -> bool {
    seen.health.as_ref().is_some_and(|h| h.unreachable().is_some())
        || seen.running.as_ref().is_some_and(|r| r.unreachable().is_some())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever the world answers and wherever the service is killed: it ends with a reason, after
    /// a bounded number of steps; nothing is promoted blindly; nothing is rolled back without what
    /// was seen.
    #[test]
    fn every_journal_keeps_the_laws(
        plan in any_plan(),
        answers in proptest::collection::vec(any_answer(), 80),
    ) {
        let mut journal: Vec<Entry> = Vec::new();
        let mut end = None;
        let mut resumed = 0;
        for given in &answers {
            match next(&plan, &journal) {
                Next::Act(action) => {
                    // A second fold of the same journal says the same.
                    prop_assert_eq!(next(&plan, &journal), Next::Act(action.clone()));
                    if let Action::Rollback { .. } = action
                        && plan.purpose == Purpose::Deploy
                    {
                        rolled_back_on_evidence(&plan, &journal)?;
                    }
                    let result = (!given.killed).then(|| answer(&plan, &action, given));
                    journal.push(Entry { action, result });
                }
                Next::Repair(action) => {
                    let open = journal.pop();
                    prop_assert_eq!(open.map(|entry| entry.action), Some(action.clone()));
                    // Whoever looks finds the end of a command, or that it vanished.
                    let result = answer(&plan, &action, given);
                    journal.push(Entry { action, result: Some(result) });
                }
                Next::End(End::Stuck(stuck)) => {
                    prop_assert!(!stuck.reason.is_empty());
                    if resumed == 3 {
                        end = Some(End::Stuck(stuck));
                        break;
                    }
                    resumed += 1;
                    let result = Some(StepResult::Resumed);
                    journal.push(Entry { action: Action::Resume, result });
                }
                Next::End(other) => {
                    end = Some(other);
                    break;
                }
            }
        }
        let end = end.ok_or_else(|| TestCaseError::fail(format!("no end: {journal:?}")))?;
        match &end {
            End::Done { .. } if plan.sees() => {
                let seen = last_seen(&journal, "verify");
                prop_assert!(
                    seen.is_some_and(|seen| !is_blind(seen)
                        && matches!(seen.health, None | Some(Health::Healthy))
                        && matches!(&seen.running, None | Some(Running::Is { .. }))),
                    "promoted on {:?}", seen
                );
                if let Some(Running::Is { revision }) = seen.and_then(|seen| seen.running.as_ref()) {
                    prop_assert_eq!(revision, &plan.revision);
                }
            }
            End::RolledBack { to, .. } => prop_assert!(*to != plan.revision),
            End::Failed { reason, .. } => prop_assert!(!reason.is_empty()),
            _ => {}
        }
    }

    #[test]
    fn a_window_ends_and_settles_nothing_on_one_look(
        looks in proptest::collection::vec((any_health(), any_running()), 60),
        passes in 1u32..5,
    ) {
        let second = std::time::Duration::from_secs(1);
        let rules = WindowRules { interval: second, within: second * 30, passes };
        let mut window = Window::new(rules, Some(revision('b')));
        let (mut row, mut settled) = (0, false);
        for (index, (health, running)) in looks.into_iter().enumerate() {
            let pass = health == Health::Healthy && running == is('b');
            row = if pass { row + 1 } else { 0 };
            let look = Look { health: Some(health), running: Some(running) };
            let Some(sum) = window.look(second * index as u32, look) else {
                prop_assert!(index < 30 + 2 * passes as usize + 1, "it never ends");
                continue;
            };
            let good = matches!(judge_new(None, &sum, &revision('b')), Judgement::Good);
            prop_assert_eq!(good, row >= passes, "{:?}", sum);
            settled = true;
            break;
        }
        prop_assert!(settled, "it never ends");
    }
}

/// The rollback is about to be intended: what was seen last has to bear it out.
fn rolled_back_on_evidence(plan: &Plan, journal: &[Entry]) -> Result<(), TestCaseError> {
    prop_assert!(plan.rollback);
    let last_ran = journal.iter().rev().find_map(|entry| match &entry.result {
        Some(StepResult::Ran { ran, .. }) if entry.action == Action::Deploy => Some(ran),
        _ => None,
    });
    if !plan.sees() {
        prop_assert!(matches!(last_ran, Some(Ran::Failed { .. })), "on {:?}", last_ran);
        return Ok(());
    }
    let evidence = match last_ran {
        Some(Ran::Well) => last_seen(journal, "verify"),
        Some(Ran::Failed { .. } | Ran::Hung { .. }) => last_seen(journal, "look_after"),
        other => return Err(TestCaseError::fail(format!("rolled back after {other:?}"))),
    };
    let Some(seen) = evidence else { return Err(TestCaseError::fail("nobody looked")) };
    prop_assert!(!is_blind(seen), "rolled back on a probe's error: {:?}", seen);
    let before = last_seen(journal, "look_before");
    let was_healthy = before.is_some_and(|before| before.health == Some(Health::Healthy));
    let broken = matches!(seen.health, Some(Health::Unhealthy { .. } | Health::Down { .. }));
    let wrong = match &seen.running {
        Some(now @ (Running::Is { .. } | Running::Other { .. })) => {
            before.and_then(|before| before.running.as_ref()) != Some(now)
        }
        Some(Running::Down { .. }) => !plan.health,
        _ => false,
    };
    prop_assert!((broken && was_healthy) || (!broken && wrong), "rolled back on {:?}", seen);
    Ok(())
}

#[test]
fn a_flapping_health_is_no_health_and_a_late_one_is_let_finish() {
    let second = std::time::Duration::from_secs(1);
    let rules = WindowRules { interval: second, within: second * 10, passes: 3 };
    let run = |healths: &[Health]| {
        let mut window = Window::new(rules, None);
        healths.iter().enumerate().find_map(|(at, health)| {
            let look = Look { health: Some(health.clone()), running: None };
            window.look(second * at as u32, look).map(|seen| (at, seen.health.unwrap()))
        })
    };
    let flapping: Vec<Health> =
        (0..20).map(|n| if n % 2 == 0 { Health::Healthy } else { bad() }).collect();
    let (_, health) = run(&flapping).unwrap();
    let Health::Unhealthy { what } = health else { panic!("{health:?}") };
    assert!(what.contains("looks failed"), "{what}");
    let mut late = vec![down(); 9];
    late.extend([Health::Healthy, Health::Healthy, Health::Healthy]);
    assert_eq!(run(&late), Some((11, Health::Healthy)), "the row was begun in time");
    assert_eq!(run(&vec![down(); 20]), Some((10, down())));
    let mut blinded = vec![blind()];
    blinded.extend(vec![Health::Healthy; 3]);
    assert_eq!(
        run(&blinded),
        Some((3, Health::Healthy)),
        "three good looks outlive a failed probe"
    );
    let mut blind_late = vec![bad(); 9];
    blind_late.push(blind());
    blind_late.push(bad());
    assert!(matches!(run(&blind_late), Some((10, Health::Unreachable { .. }))));
}

#[test]
fn a_monitor_takes_back_on_faults_and_only_tells_of_probes() {
    let rules = Rules { consecutive: 3, percent: 50, least_looks: 10 };
    let good = healthy('b');
    let until = now() + jiff::SignedDuration::from_secs(600);
    let run = |looks: &[Seen]| {
        let mut watch = Watch::default();
        looks.iter().enumerate().find_map(|(at, look)| {
            let when = now() + jiff::SignedDuration::from_secs(at as i64);
            let (next, step) = watched(rules, &watch, &good, look, &revision('b'), when, until);
            watch = next;
            (step != WatchStep::GoOn).then_some((at, step))
        })
    };
    let fault = || seen(bad(), is('b'));
    let gone = || seen(down(), silent());
    let lost = || seen(blind(), is('b'));
    assert_eq!(run(&[fault(), fault(), healthy('b'), fault(), fault()]), None);
    assert!(matches!(run(&[fault(), gone(), fault()]), Some((2, WatchStep::TakeBack { .. }))));
    assert!(matches!(run(&vec![lost(); 40]), Some((2, WatchStep::Blind { .. }))));
    let often: Vec<Seen> =
        (0..20).map(|n| if n % 2 == 0 { fault() } else { healthy('b') }).collect();
    assert!(matches!(run(&often), Some((9.., WatchStep::TakeBack { .. }))));
    // A probe that fails between two faults tells nothing of either.
    assert!(matches!(
        run(&[fault(), lost(), fault(), lost(), fault()]),
        Some((4, WatchStep::TakeBack { .. }))
    ));
    assert_eq!(run(&[seen(Health::Healthy, is('c')), healthy('b')]), None);
    let (_, step) =
        watched(rules, &Watch::default(), &good, &healthy('b'), &revision('b'), until, until);
    assert_eq!(step, WatchStep::Passed);
}
