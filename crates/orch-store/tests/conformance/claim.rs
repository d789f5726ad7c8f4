//! Claims: order, limits, attempts.

use orch_core::job::JobState;
use orch_core::outcome::Outcome;
use orch_store::{ClaimRequest, StoreError};

use crate::Engine;
use crate::engine::{at, fence, worker};

pub fn oldest_first_and_one_at_a_time(engine: &Engine) {
    let keys: Vec<_> = (0..3).map(|_| engine.submit().key).collect();
    for key in &keys {
        for _ in 0..2 {
            let claim = engine.claimed();
            assert_eq!(&claim.task.key, key);
            assert_eq!(engine.claim(), None, "the gate has one slot");
            engine.pass(&claim);
        }
    }
    assert_eq!(engine.claim(), None);
    assert_eq!(engine.violations(), []);
}

pub fn priority_goes_first(engine: &Engine) {
    for name in ["b", "c"] {
        engine.register(name);
    }
    engine.submit();
    engine.submit_to("b", 5);
    engine.submit_to("c", 9);
    let order: Vec<String> = (0..3).map(|_| engine.claimed().task.repo.to_string()).collect();
    assert_eq!(order, ["c", "b", "hello"]);
}

pub fn limits_hold(engine: &Engine) {
    for name in ["b", "c"] {
        engine.register(name);
        engine.submit_to(name, 0);
    }
    engine.submit();
    let one = engine.request(1);
    assert!(engine.store.claim(at(10), &one).unwrap().is_some());
    assert_eq!(engine.store.claim(at(10), &engine.request(1)).unwrap(), None, "worker is full");
    let per_agent = ClaimRequest { max_per_agent: Some(1), ..engine.request(9) };
    assert_eq!(engine.store.claim(at(10), &per_agent).unwrap(), None, "all are developers");
    let per_repo = ClaimRequest { max_per_repo: Some(1), ..engine.request(9) };
    let second = engine.store.claim(at(10), &per_repo).unwrap().unwrap();
    assert_eq!(second.task.repo.as_str(), "c");
    let none = ClaimRequest { max_per_repo: Some(0), ..engine.request(9) };
    assert!(engine.store.claim(at(10), &none).unwrap().is_some(), "a repository without runs");
    let again = ClaimRequest { run_id: one.run_id, ..engine.request(9) };
    engine.submit_to("c", 0);
    let claimed = engine.store.claim(at(10), &again);
    assert!(matches!(claimed, Ok(None) | Err(StoreError::Constraint { .. })), "{claimed:?}");
}

pub fn attempts_count_only_finished_work(engine: &Engine) {
    engine.submit();
    let first = engine.claimed();
    assert_eq!((first.attempt, first.job.run_epoch), (1, 1));
    engine.infra(&first, Outcome::Lost { reason: "machine restarted".to_owned() });
    let second = engine.claimed();
    assert_eq!((second.attempt, second.job.run_epoch, second.job.crashes), (1, 2, 1));
    engine.fail(&second);
    let third = engine.claimed();
    assert_eq!((third.attempt, third.job.run_epoch), (2, 1), "a new job, a second attempt");
    let runs = engine.store.runs(third.task.id).unwrap();
    let kinds: Vec<_> =
        runs.iter().map(|run| run.end.as_ref().map(|(_, outcome)| outcome.kind())).collect();
    assert_eq!(kinds, [Some("lost"), Some("suite_ran"), None]);
}

pub fn a_deferred_job_waits_for_its_time(engine: &Engine) {
    engine.submit();
    let until = at(500);
    engine.infra(&engine.claimed(), Outcome::RateLimited { until });
    assert_eq!(engine.claim(), None);
    assert_eq!(engine.store.next_wakeup(at(30)).unwrap(), Some(until));
    let claim = engine.store.claim(until, &engine.request(1)).unwrap().unwrap();
    let JobState::Running(owner) = &claim.job.state else { panic!("{claim:?}") };
    assert_eq!((&owner.worker_id, owner.started_at), (&worker("w1"), until));
    assert_eq!(fence(&claim).run_epoch, 2);
}
