//! Ownership by epoch: every write by a run shows its claim, every way out of `running` takes all of
//! it away in the same statement, the claim writes all of it anew, and a pid comes by the stamp
//! alone.

use orch_core::decide::{
    Decision, Loss, Policy, Step, TaskEnd, cancelled, first_job, retried, run_lost,
};
use orch_core::ids::JobId;
use orch_core::job::{Fence, Hold, HoldKind, Job, JobResult, JobState};
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::session::RunSession;
use orch_core::verdict::Verdict;
use orch_store::{Claim, Guard, StoreError};

use crate::Engine;
use crate::engine::{LEASE, at, fence, record, revision, situation, worker};

fn process() -> ProcessIdentity {
    ProcessIdentity { boot_id: "boot".to_owned(), pid: 2, start_time: 3 }
}

/// Claims the next job and stamps a process, as a run under way has it.
fn under_way(engine: &Engine) -> Claim {
    let claim = engine.store.claim(at(100_000), &engine.request(1_000)).unwrap().unwrap();
    engine.store.stamp_process(&fence(&claim), &process()).unwrap();
    claim
}

fn job(engine: &Engine, claim: &Claim) -> Job {
    engine.store.job(claim.job.id).unwrap()
}

/// Applies a decision of the reaper.
fn lose(engine: &Engine, claim: &Claim, loss: &Loss) {
    let decision = run_lost(situation(&claim.task, &claim.job), loss, &Policy::default());
    engine.store.apply(at(30), &Guard::Run(fence(claim)), &decision, None).unwrap();
}

/// The operator's retry of a job that nobody owns.
fn retry(engine: &Engine, claim: &Claim) {
    let (task, job) = engine.store.standing(&claim.task.key).unwrap();
    let job = job.unwrap();
    let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
    let decision = retried(situation(&task, &job)).unwrap();
    engine.store.apply(at(31), &guard, &decision, None).unwrap();
}

type Way = (&'static str, fn(&Engine, &Claim));

/// Every way from `running` back to `queued`.
const WAYS_BACK: &[Way] = &[
    ("reaped: never started", |engine, claim| lose(engine, claim, &Loss::NeverStarted)),
    ("reaped: stopped in order", |engine, claim| lose(engine, claim, &Loss::Stopped)),
    ("reaped: vanished", |engine, claim| {
        lose(engine, claim, &Loss::Vanished { reason: "gone".to_owned() });
    }),
    ("transient", |engine, claim| {
        engine.infra(claim, Outcome::TransientInfra { reason: "dns".to_owned() });
    }),
    ("timed out", |engine, claim| engine.infra(claim, Outcome::TimedOut { limit_ms: 1 })),
    ("stalled", |engine, claim| engine.infra(claim, Outcome::Stalled { limit_ms: 1 })),
    ("rate limited", |engine, claim| {
        engine.infra(claim, Outcome::RateLimited { until: at(50) });
    }),
    ("stopped from outside", |engine, claim| engine.infra(claim, Outcome::Cancelled)),
    ("held, then retried by an operator", |engine, claim| {
        engine.infra(claim, Outcome::PermanentEnv { reason: "no docker".to_owned() });
        retry(engine, claim);
    }),
    ("reaped, then made due by an operator", |engine, claim| {
        lose(engine, claim, &Loss::Stopped);
        retry(engine, claim);
    }),
    ("set aside as damaged, then retried by an operator", |engine, claim| {
        engine.force(&format!("UPDATE jobs SET worker_id = NULL WHERE id = {}", claim.job.id));
        assert_eq!(engine.store.sanitize(at(25)).unwrap(), 1);
        retry(engine, claim);
    }),
];

/// A row that decodes as queued has no trace of an owner: the decoder refuses any other.
pub fn every_way_back_clears_and_the_claim_begins_anew(engine: &Engine) {
    for (name, back) in WAYS_BACK {
        let key = engine.submit().key;
        let claim = under_way(engine);
        assert_eq!(claim.task.key, key);
        back(engine, &claim);
        let queued = job(engine, &claim);
        assert!(matches!(queued.state, JobState::Queued { .. }), "{name}: {queued:?}");
        assert_eq!(queued.run_epoch, claim.job.run_epoch, "{name}: the epoch never falls");
        assert_eq!(engine.violations(), [], "{name}");

        let again = engine.store.claim(at(100_001), &engine.request(1_000)).unwrap().unwrap();
        assert_eq!((again.job.id, again.job.run_epoch), (claim.job.id, claim.job.run_epoch + 1));
        let JobState::Running(owner) = &again.job.state else { panic!("{name}: {again:?}") };
        assert_eq!(owner.process, None, "{name}: a pid comes by the stamp alone");
        assert_ne!(owner.run_id, fence(&claim).run_id);
        assert_eq!(engine.store.run(&owner.run_id).unwrap().process, None);
        assert!(engine.store.run(&fence(&claim).run_id).unwrap().end.is_some(), "{name}");
        refused(engine, &fence(&claim), name);
        let (task, active) = engine.store.standing(&key).unwrap();
        let active = active.unwrap();
        let guard = Guard::Any { job_id: active.id, run_epoch: active.run_epoch };
        let decision = cancelled(situation(&task, &active), "enough").unwrap();
        engine.store.apply(at(40), &guard, &decision, None).unwrap();
    }
}

/// Every way out of `running` that does not lead back, by the status that the job has then.
const WAYS_OUT: &[Way] = &[
    ("succeeded", |engine, claim| engine.pass(claim)),
    ("failed", |engine, claim| engine.fail(claim)),
    ("held", |engine, claim| {
        engine.infra(claim, Outcome::PermanentEnv { reason: "no docker".to_owned() });
    }),
    ("cancelled", |engine, claim| {
        let decision = cancelled(situation(&claim.task, &claim.job), "enough").unwrap();
        let guard = Guard::Any { job_id: claim.job.id, run_epoch: claim.job.run_epoch };
        engine.store.apply(at(30), &guard, &decision, None).unwrap();
    }),
];

pub fn whoever_lost_a_job_is_refused_wherever_it_stands(engine: &Engine) {
    for (index, (status, out)) in WAYS_OUT.iter().enumerate() {
        let repo = format!("r{index}");
        engine.register(&repo);
        engine.submit_to(&repo, 9);
        let claim = under_way(engine);
        out(engine, &claim);
        assert_eq!(job(engine, &claim).state.status(), *status);
        refused(engine, &fence(&claim), status);
        assert_eq!(engine.violations(), [], "{status}");
    }
}

/// Each part of what a run shows is looked at: another job, run or epoch opens nothing.
pub fn a_fence_is_demanded_in_all_its_parts(engine: &Engine) {
    engine.register("world");
    engine.submit();
    engine.submit_to("world", 0);
    let (claim, other) = (under_way(engine), under_way(engine));
    let own = fence(&claim);
    let wrong = [
        ("an earlier epoch", Fence { run_epoch: 0, ..own.clone() }),
        ("a later epoch", Fence { run_epoch: own.run_epoch + 1, ..own.clone() }),
        ("another run", Fence { run_id: engine.run_id(), ..own.clone() }),
        ("the other job's run", Fence { run_id: fence(&other).run_id, ..own.clone() }),
        ("the other job", Fence { job_id: other.job.id, ..own.clone() }),
        ("no such job", Fence { job_id: JobId(4711), ..own.clone() }),
    ];
    for (name, fence) in &wrong {
        refused(engine, fence, name);
    }
    engine.store.stamp_base(&own, &revision('c')).unwrap();
    engine.pass(&claim);
    engine.pass(&other);
}

/// Every write that a run makes, with this fence: each is refused and nothing changes.
fn refused(engine: &Engine, stale: &Fence, name: &str) {
    let before = engine.store.snapshot().unwrap();
    let last = engine.store.last_event_id().unwrap();
    let stamps = [
        engine.store.stamp_process(stale, &process()),
        engine.store.stamp_base(stale, &revision('c')),
        engine.store.stamp_log_dir(stale, "/elsewhere"),
        engine.store.stamp_session(stale, &session("s-1")),
    ];
    for stamp in stamps {
        assert!(matches!(stamp, Err(StoreError::Fenced { .. })), "{name}: {stamp:?}");
    }
    let fences = std::slice::from_ref(stale);
    let lost = engine.store.heartbeat(at(99), &worker("w1"), LEASE, fences).unwrap();
    assert_eq!(lost, fences, "{name}");
    for step in steps(engine) {
        let what = format!("{name}: {step:?}");
        let progress = before.tasks[0].progress.clone();
        let decision = Decision { step, progress, events: vec![], alerts: vec![] };
        let guard = Guard::Run(stale.clone());
        let applied = engine.store.apply(at(60), &guard, &decision, None);
        assert!(matches!(applied, Err(StoreError::Fenced { .. })), "{what}: {applied:?}");
        let applied = engine.store.apply(at(60), &guard, &decision, Some(&record_of(stale)));
        assert!(matches!(applied, Err(StoreError::Fenced { .. })), "{what}: {applied:?}");
    }
    let after = engine.store.snapshot().unwrap();
    assert_eq!((after.tasks, after.jobs), (before.tasks, before.jobs), "{name}");
    assert_eq!(engine.store.last_event_id().unwrap(), last, "{name}");
}

fn session(id: &str) -> RunSession {
    RunSession { adapter: "claude".into(), id: id.into() }
}

/// A session is stamped as soon as it is known, and once more where the program took another.
pub fn a_session_is_kept_with_its_run(engine: &Engine) {
    engine.submit();
    let claim = under_way(engine);
    let own = fence(&claim);
    let kept = |engine: &Engine| engine.store.run(&own.run_id).unwrap().session;
    assert_eq!(kept(engine), None);
    engine.store.stamp_session(&own, &session("s-1")).unwrap();
    assert_eq!(kept(engine), Some(session("s-1")));
    engine.store.stamp_session(&own, &session("s-2")).unwrap();
    engine.pass(&claim);
    assert_eq!(kept(engine), Some(session("s-2")));
}

fn record_of(stale: &Fence) -> orch_store::RunRecord {
    orch_store::RunRecord {
        run_id: stale.run_id.clone(),
        outcome: Outcome::SuiteRan { exit_code: 0 },
        gate: None,
        end_commit: None,
        usage: orch_store::Usage::default(),
    }
}

/// One of each form that a decision's step has.
fn steps(engine: &Engine) -> Vec<Step> {
    let pipeline = crate::engine::pipeline();
    let next = first_job(pipeline.first(), false, at(60), None);
    let hold = Hold { kind: HoldKind::Infra, reason: "no docker".to_owned() };
    let mut steps = vec![
        Step::Next { result: JobResult::Failed, reason: None, job: next },
        Step::Hold(hold),
        Step::End(TaskEnd::Done),
        Step::End(TaskEnd::Cancelled { reason: "enough".to_owned() }),
    ];
    for counts in crate::engine::EVERY_COUNT {
        let reason = "again".to_owned();
        steps.push(Step::Requeue { available_at: at(60), reason, counts });
    }
    assert!(engine.violations().is_empty());
    steps
}

/// The last of a run's writes wins nothing twice: the same end, delivered again, is refused.
pub fn the_same_end_delivered_twice_counts_once(engine: &Engine) {
    engine.submit();
    let claim = under_way(engine);
    engine.pass(&claim);
    let before = engine.store.snapshot().unwrap();
    let outcome = Outcome::SuiteRan { exit_code: 0 };
    let verdict = Verdict::Pass { reasons: vec![] };
    let decision = crate::engine::decided(&claim, outcome.clone(), verdict.clone());
    let twice = record(&claim, outcome, verdict);
    let again = engine.store.apply(at(21), &Guard::Run(fence(&claim)), &decision, Some(&twice));
    assert!(matches!(again, Err(StoreError::Fenced { .. })), "{again:?}");
    let after = engine.store.snapshot().unwrap();
    assert_eq!((after.tasks, after.jobs), (before.tasks, before.jobs));
}
