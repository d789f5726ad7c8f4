//! Fencing: whoever lost a job can change nothing.

use orch_core::decide::{Loss, Policy, cancelled, retried, run_lost};
use orch_core::job::Fence;
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::verdict::Verdict;
use orch_store::{Claim, Guard, StoreError};

use crate::Engine;
use crate::engine::{LEASE, at, decided, fence, record, revision, situation, worker};

/// A run that was reaped, and the one that has its job now.
fn superseded(engine: &Engine) -> (Claim, Claim) {
    engine.submit();
    let old = engine.claimed();
    let loss = Loss::Vanished { reason: "no such process".to_owned() };
    let decision = run_lost(situation(&old.task, &old.job), &loss, &Policy::default());
    engine.store.apply(at(30), &Guard::Run(fence(&old)), &decision, None).unwrap();
    let new = engine.store.claim(at(40), &engine.request(9)).unwrap().unwrap();
    (old, new)
}

pub fn a_stale_run_changes_nothing(engine: &Engine) {
    let (old, new) = superseded(engine);
    let process = ProcessIdentity { boot_id: "boot".to_owned(), pid: 2, start_time: 3 };
    let before = engine.store.job(new.job.id).unwrap();
    let ahead = Fence { run_epoch: 99, ..fence(&new) };
    let other = Fence { run_id: engine.run_id(), ..fence(&new) };
    for stale in [fence(&old), ahead, other] {
        let writes = [
            engine.store.stamp_process(&stale, &process),
            engine.store.stamp_base(&stale, &revision('c')),
            engine.store.stamp_log_dir(&stale, "/elsewhere"),
            engine.end(&old, Outcome::SuiteRan { exit_code: 0 }, Verdict::Pass { reasons: vec![] }),
        ];
        for write in writes {
            assert!(matches!(write, Err(StoreError::Fenced { .. })), "{stale:?}: {write:?}");
        }
        let lost = engine
            .store
            .heartbeat(at(99), &worker("w1"), LEASE, std::slice::from_ref(&stale))
            .unwrap();
        assert_eq!(lost, [stale]);
    }
    assert_eq!(engine.store.job(new.job.id).unwrap(), before);
    let others = engine.store.heartbeat(at(99), &worker("w2"), LEASE, &[fence(&new)]).unwrap();
    assert_eq!(others.len(), 1, "a lease is renewed by its own worker only");

    engine.store.stamp_process(&fence(&new), &process).unwrap();
    engine.store.stamp_base(&fence(&new), &revision('c')).unwrap();
    assert_eq!(engine.store.heartbeat(at(99), &worker("w1"), LEASE, &[fence(&new)]).unwrap(), []);
    let run = engine.store.run(&fence(&new).run_id).unwrap();
    assert_eq!((run.process, run.base_commit), (Some(process), Some(revision('c'))));
    engine.pass(&new);
}

pub fn idle_guards_refuse_a_claimed_job(engine: &Engine) {
    let task = engine.submit();
    let (_, job) = engine.store.standing(&task.key).unwrap();
    let job = job.unwrap();
    let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
    let decision = retried(situation(&task, &job)).unwrap();
    engine.store.apply(at(5), &guard, &decision, None).unwrap();
    let claim = engine.store.claim(at(40), &engine.request(1)).unwrap().unwrap();
    for run_epoch in [job.run_epoch, claim.job.run_epoch] {
        let guard = Guard::Idle { job_id: job.id, run_epoch };
        let error = engine.store.apply(at(50), &guard, &decision, None).unwrap_err();
        assert!(matches!(error, StoreError::Fenced { .. }), "{error:?}");
    }
}

pub fn a_cancelled_run_finds_itself_fenced(engine: &Engine) {
    engine.submit();
    let successor = engine.submit();
    let claim = engine.claimed();
    let decision = cancelled(situation(&claim.task, &claim.job), "not needed").unwrap();
    let stale = Guard::Any { job_id: claim.job.id, run_epoch: 0 };
    assert!(engine.store.apply(at(30), &stale, &decision, None).is_err());
    let guard = Guard::Any { job_id: claim.job.id, run_epoch: claim.job.run_epoch };
    engine.store.apply(at(30), &guard, &decision, None).unwrap();
    let lost = engine.store.heartbeat(at(31), &worker("w1"), LEASE, &[fence(&claim)]).unwrap();
    assert_eq!(lost.len(), 1);
    let run = engine.store.run(&fence(&claim).run_id).unwrap();
    assert_eq!(run.end, Some((at(30), Outcome::Cancelled)));
    assert_eq!(engine.claimed().task.key, successor.key, "its slot went on");
    assert_eq!(engine.violations(), []);
}

pub fn only_the_open_run_is_recorded(engine: &Engine) {
    let (old, new) = superseded(engine);
    let outcome = Outcome::SuiteRan { exit_code: 0 };
    let verdict = Verdict::Pass { reasons: vec![] };
    let decision = decided(&new, outcome.clone(), verdict.clone());
    let wrong = record(&old, outcome, verdict);
    let guard = Guard::Run(fence(&new));
    let error = engine.store.apply(at(50), &guard, &decision, Some(&wrong)).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
    assert_eq!(engine.store.job(new.job.id).unwrap(), new.job);
}
