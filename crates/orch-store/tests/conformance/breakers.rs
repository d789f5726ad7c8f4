//! Breakers: a shared fault pauses its channel once for all, one probe at a time is let through, and
//! everything goes on when it works again.

use std::time::Duration;

use orch_core::breaker::{Channel, Paused, Rule};
use orch_core::decide::{Policy, RunReport, Situation, channel_paused, mended, retried, run_ended};
use orch_core::event::EventKind;
use orch_core::ids::{EventId, TaskKey};
use orch_core::job::JobState;
use orch_core::outcome::Outcome;
use orch_core::verdict::Verdict;
use orch_store::{Claim, EventFilter, Guard};

use crate::Engine;
use crate::engine::{at, decided, fence, record, situation};

const RULE: Rule = Rule {
    enabled: true,
    tasks: 2,
    times: 3,
    window: Duration::from_mins(30),
    probe_every: Duration::from_mins(1),
};

fn down(number: u32) -> Outcome {
    Outcome::PermanentEnv { reason: format!("the docker daemon does not answer (pid {number})") }
}

fn flaky(number: u32) -> Outcome {
    Outcome::TransientInfra { reason: format!("a connection was refused: port {number}") }
}

/// The run ends so, and its fault is looked at; says whether that paused its channel.
fn meets(engine: &Engine, claim: &Claim, outcome: Outcome, when: i64) -> bool {
    let verdict = Verdict::refused("it did not run");
    let report =
        RunReport { outcome: outcome.clone(), verdict: verdict.clone(), head: None, tested: None };
    let situation = Situation { now: at(when), ..situation(&claim.task, &claim.job) };
    let decision = run_ended(situation, report, &Policy::default(), 7);
    let record = record(claim, outcome, verdict);
    let guard = Guard::Run(fence(claim));
    engine.store.apply(at(when), &guard, &decision, Some(&record)).unwrap();
    engine.store.trip(at(when), &RULE, &record.run_id).unwrap()
}

/// The run ends so while its channel is paused.
fn waits(engine: &Engine, claim: &Claim, outcome: Outcome, when: i64) {
    let run = fence(claim).run_id;
    let paused = engine.store.paused_for(&run).unwrap().expect("its channel is paused");
    let situation = situation(&claim.task, &claim.job);
    let decision = channel_paused(situation, None, &outcome, &paused);
    let record = record(claim, outcome, Verdict::refused("it did not run"));
    let guard = Guard::Run(fence(claim));
    engine.store.apply(at(when), &guard, &decision, Some(&record)).unwrap();
    assert!(!engine.store.trip(at(when), &RULE, &run).unwrap(), "it is paused once");
}

fn claim_at(engine: &Engine, when: i64) -> Option<Claim> {
    engine.store.claim(at(when), &engine.request(1_000)).unwrap()
}

fn only(engine: &Engine) -> (Paused, Vec<TaskKey>) {
    let mut channels = engine.store.paused_channels().unwrap();
    let channel = channels.pop().expect("a channel is paused");
    assert!(channels.is_empty(), "{channels:?}");
    (channel.paused, channel.waiting)
}

/// Two tasks of three met the fault: both are held, the third waits, and somebody is told once.
fn tripped(engine: &Engine) -> [TaskKey; 3] {
    let keys = [(); 3].map(|()| engine.submit().key);
    assert!(!meets(engine, &claim_at(engine, 10).unwrap(), down(1), 20));
    assert!(meets(engine, &claim_at(engine, 21).unwrap(), down(2), 30));
    keys
}

pub fn a_shared_fault_pauses_its_channel_once_for_all(engine: &Engine) {
    let [one, two, three] = tripped(engine);
    assert_eq!(claim_at(engine, 40), None, "the third waits");
    let (paused, waiting) = only(engine);
    assert_eq!(waiting, std::slice::from_ref(&three));
    assert_eq!(paused.signature.channel.words(), "the agent developer of hello");
    assert_eq!((paused.since, paused.probe_at, paused.probes), (at(30), at(90), 0));
    assert!(paused.said.contains("(pid 2)"), "{}", paused.said);
    let causes = engine.store.causes().unwrap();
    let held: Vec<_> = causes[0].held.iter().map(|held| (&held.key, held.mended)).collect();
    assert_eq!((causes.len(), held), (1, vec![(&one, false), (&two, false)]));
    assert_eq!(causes[0].signature, paused.signature);
    let alerts = engine.store.outbox_pending(at(31), 10).unwrap();
    assert_eq!((alerts.len(), alerts[0].times), (1, 3), "{alerts:?}");
    assert!(alerts[0].message.contains("is paused for all tasks"), "{alerts:?}");
    assert_eq!(engine.store.queue_snapshot(at(40)).unwrap().next, []);
    // Whoever goes through another channel is not kept.
    engine.register("other");
    let other = engine.submit_to("other", 0);
    assert_eq!(claim_at(engine, 41).unwrap().task.key, other.key);
    assert_eq!(engine.violations(), []);
}

pub fn one_probe_at_a_time_is_let_through_until_it_works(engine: &Engine) {
    let [_, _, three] = tripped(engine);
    let probe = claim_at(engine, 90).expect("its time has come");
    assert_eq!(probe.task.key, three);
    assert_eq!(only(engine).0.probing, Some(three.clone()));
    let before = probe.job.clone();
    waits(engine, &probe, down(3), 95);
    let (paused, waiting) = only(engine);
    assert_eq!((paused.probing, paused.probes, waiting), (None, 1, vec![three.clone()]));
    assert_eq!(claim_at(engine, 149), None, "a minute from one to the next");
    let probe = claim_at(engine, 150).unwrap();
    assert_eq!((probe.job.defers, probe.job.unknowns), (before.defers, 0), "it burns nothing");
    let verdict = Verdict::Fail { findings: vec![] };
    let outcome = Outcome::SuiteRan { exit_code: 1 };
    let decision = decided(&probe, outcome.clone(), verdict.clone());
    let end = record(&probe, outcome, verdict);
    engine.store.apply(at(160), &Guard::Run(fence(&probe)), &decision, Some(&end)).unwrap();
    assert_eq!(engine.store.paused_channels().unwrap(), [], "it ran to its own end");
    let causes = engine.store.causes().unwrap();
    assert!(causes[0].held.iter().all(|held| held.mended), "{causes:?}");
    let filter = EventFilter {
        kinds: vec![EventKind::BreakerOpened, EventKind::BreakerClosed],
        ..EventFilter::default()
    };
    let events = engine.store.events(EventId(0), &filter, 10).unwrap();
    let told: Vec<_> = events.iter().map(|event| event.what.kind.name()).collect();
    assert_eq!(told, ["breaker.opened", "breaker.closed"]);
    let last = &events[1].what.message;
    assert!(last.contains("held by that fault: HELLO-1, HELLO-2"), "{last}");
    // The held go on from where they stand.
    for held in &causes[0].held {
        let (task, job) = engine.store.standing(&held.key).unwrap();
        let job = job.unwrap();
        let decision = mended(situation(&task, &job)).unwrap();
        let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
        engine.store.apply(at(170), &guard, &decision, None).unwrap();
    }
    assert_eq!(engine.store.causes().unwrap(), []);
    assert_eq!(engine.violations(), []);
}

pub fn three_times_by_one_task_are_enough(engine: &Engine) {
    let key = engine.submit().key;
    for (when, paused) in [(100, false), (300, false), (1200, true)] {
        let claim = claim_at(engine, when).unwrap();
        assert_eq!(meets(engine, &claim, flaky(when as u32), when + 1), paused, "{when}");
    }
    let (paused, waiting) = only(engine);
    assert_eq!(waiting, std::slice::from_ref(&key));
    let (_, job) = engine.store.standing(&key).unwrap();
    let job = job.unwrap();
    assert_eq!(job.defers, 3);
    let JobState::Queued { available_at, .. } = job.state else { panic!("{job:?}") };
    assert!(available_at > paused.probe_at, "its own time is later");
    let probe = claim_at(engine, 1262).expect("a probe does not wait for its own time");
    waits(engine, &probe, flaky(7), 1263);
    assert!(engine.store.probe_now(at(1264), job.id).unwrap());
    let probe = claim_at(engine, 1264).expect("somebody wants it probed now");
    waits(engine, &probe, flaky(8), 1265);
    let channel = &paused.signature.channel;
    assert!(engine.store.resume_channel(at(1300), channel, "somebody says so").unwrap());
    assert!(!engine.store.resume_channel(at(1300), channel, "somebody says so").unwrap());
    let again = claim_at(engine, 1300).expect("it is due when its channel works");
    assert!(!meets(engine, &again, flaky(9), 1310), "what was before the pause counts no more");
    assert_eq!(engine.store.trip_all(at(1310), &RULE).unwrap(), 0);
}

pub fn faults_apart_in_time_or_kind_are_not_shared(engine: &Engine) {
    for _ in 0..4 {
        engine.submit();
    }
    assert!(!meets(engine, &claim_at(engine, 10).unwrap(), down(1), 20));
    let other = Outcome::PermanentEnv { reason: "no program node".to_owned() };
    assert!(!meets(engine, &claim_at(engine, 30).unwrap(), other, 40), "another fault");
    assert!(!meets(engine, &claim_at(engine, 1900).unwrap(), down(2), 1901), "too long ago");
    let unproven = Outcome::Unproven { reason: "zero tests ran".to_owned() };
    assert!(!meets(engine, &claim_at(engine, 1910).unwrap(), unproven, 1911));
    assert_eq!(engine.store.paused_channels().unwrap(), []);
    let off = Rule { enabled: false, ..RULE };
    assert_eq!(engine.store.trip_all(at(1911), &off).unwrap(), 0);
    let all = Rule { window: Duration::from_hours(1), ..RULE };
    assert_eq!(engine.store.trip_all(at(1911), &all).unwrap(), 1, "what a crash left out");
}

pub fn a_stamped_channel_is_shared_by_repositories(engine: &Engine) {
    engine.register("other");
    let host = Channel::Ssh("deploy@staging".to_owned());
    let mut paused = false;
    for repo in ["hello", "other"] {
        engine.submit_to(repo, 0);
        let claim = claim_at(engine, 10).unwrap();
        engine.store.stamp_channel(&fence(&claim), &host).unwrap();
        paused = meets(engine, &claim, flaky(22), 20);
    }
    assert!(paused, "two tasks, whatever their repositories");
    let (paused, waiting) = only(engine);
    assert_eq!((&paused.signature.channel, waiting.len()), (&host, 2));
    engine.store.put_off_probe(&Channel::Ssh("deploy@elsewhere".to_owned()), at(900)).unwrap();
    engine.store.put_off_probe(&paused.signature.channel, at(200)).unwrap();
    engine.store.put_off_probe(&paused.signature.channel, at(100)).unwrap();
    assert_eq!(only(engine).0.probe_at, at(200), "put off, and never put forward");
    // An operator's retry is a wish to probe, not a way past the pause.
    let (task, job) = engine.store.standing(&waiting[0]).unwrap();
    let job = job.unwrap();
    let decision = retried(situation(&task, &job)).unwrap();
    let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
    engine.store.apply(at(30), &guard, &decision, None).unwrap();
    assert_eq!(claim_at(engine, 31), None);
}

pub fn forged_breakers_are_refused(engine: &Engine) {
    tripped(engine);
    for (sql, name) in [
        ("UPDATE breakers SET fault = ''", "breaker_says_why"),
        ("UPDATE breakers SET said = ''", "breaker_says_why"),
        ("UPDATE breakers SET probe_run = 'r', closed_at = 1", "closed_is_not_probed"),
        ("UPDATE breakers SET probes = -1", "breaker_counts"),
        ("UPDATE breakers SET probe_every = 0", "breaker_counts"),
        ("DELETE FROM breakers", "FOREIGN KEY constraint failed|23503"),
        ("UPDATE runs SET channel = NULL", "fault_of_an_ended_run"),
        ("UPDATE runs SET fault = ''", "fault_of_an_ended_run"),
        ("UPDATE outbox SET times = 0", "told_once_at_least"),
        ("UPDATE outbox SET claimed_by = 'w'", "claim_of_an_alert"),
    ] {
        let error = engine.raw(sql).expect_err(sql);
        assert!(name.split('|').any(|name| error.contains(name)), "{sql}: {error}, not {name}");
    }
}
