//! Applying decisions: whole, and with everything that goes with them.

use orch_core::decide::{Counts, Decision, Step, retried};
use orch_core::job::{Hold, HoldKind, JobState};
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::task::TaskState;
use orch_core::verdict::Verdict;
use orch_store::Guard;

use crate::Engine;
use crate::engine::{at, fence, revision, situation};

pub fn a_task_goes_through_its_pipeline(engine: &Engine) {
    let task = engine.submit();
    for stage in ["development", "testing", "development", "testing"] {
        let claim = engine.claimed();
        assert_eq!(claim.job.stage.as_str(), stage);
        let first_test = stage == "testing" && claim.task.progress.bounces == 0;
        if first_test { engine.fail(&claim) } else { engine.pass(&claim) }
    }
    let task = engine.store.task(&task.key).unwrap();
    assert_eq!(task.state, TaskState::Done { at: at(20) });
    assert_eq!((task.progress.bounces, task.progress.head), (1, Some(revision('a'))));
    assert!(task.progress.tested.is_some());
    assert_eq!(engine.store.active_job(task.id).unwrap(), None);
    let jobs = engine.store.jobs(task.id).unwrap();
    let ends: Vec<&str> = jobs.iter().map(|job| job.state.status()).collect();
    assert_eq!(ends, ["succeeded", "failed", "succeeded", "succeeded"]);
    let words: Vec<&str> = engine
        .store
        .gate_results(task.id)
        .unwrap()
        .iter()
        .map(|result| result.verdict.word())
        .collect();
    assert_eq!(words, ["pass", "fail", "pass", "pass"]);
    let run = &engine.store.runs(task.id).unwrap()[0];
    assert_eq!((run.usage.cost_micros, run.end_commit.clone()), (3, Some(revision('a'))));
    assert_eq!(engine.violations(), []);
}

pub fn a_failure_in_the_middle_leaves_nothing(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let before = engine.store.snapshot().unwrap();
    let last = engine.store.last_event_id().unwrap();
    // The outbox comes after the job, the run, the gate's result, the task and the events.
    engine.break_the_outbox(true);
    let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
    let error = engine.end(&claim, outcome.clone(), Verdict::refused("none")).unwrap_err();
    assert!(error.to_string().contains("broken on purpose"), "{error}");
    let after = engine.store.snapshot().unwrap();
    assert_eq!((after.tasks, after.jobs), (before.tasks, before.jobs));
    assert_eq!(engine.store.last_event_id().unwrap(), last);
    assert_eq!(engine.store.run(&fence(&claim).run_id).unwrap().end, None);
    engine.break_the_outbox(false);
    engine.infra(&claim, outcome);
    assert_eq!(engine.violations(), []);
}

/// The ways back into the queue, by name: after each, no trace of the owner is left.
pub fn every_way_back_clears_the_owner(engine: &Engine) {
    let process = ProcessIdentity { boot_id: "boot".to_owned(), pid: 2, start_time: 3 };
    let key = engine.submit().key;
    for counts in crate::engine::EVERY_COUNT {
        let claim = engine.claimed();
        engine.store.stamp_process(&fence(&claim), &process).unwrap();
        let decision = Decision {
            step: Step::Requeue { available_at: at(2), reason: "again".to_owned(), counts },
            progress: claim.task.progress.clone(),
            events: vec![],
            alerts: vec![],
        };
        engine.store.apply(at(20), &Guard::Run(fence(&claim)), &decision, None).unwrap();
        let job = engine.store.standing(&key).unwrap().1.unwrap();
        let reason = Some("again".to_owned());
        assert_eq!(job.state, JobState::Queued { available_at: at(2), reason });
        assert_eq!(job.run_epoch, claim.job.run_epoch, "the epoch never falls");
        let now = (job.defers, job.unknowns, job.stops, job.crashes);
        let expected = match counts {
            Counts::Nothing | Counts::Reset => (0, 0, 0, 0),
            Counts::Defer => (1, 0, 0, 0),
            Counts::Unknown => (1, 1, 0, 0),
            Counts::Stop => (1, 1, 1, 0),
            Counts::Crash => (1, 1, 1, 1),
        };
        assert_eq!(now, expected, "{counts:?}");
    }
}

pub fn alerts_are_not_repeated(engine: &Engine) {
    let key = engine.submit().key;
    for _ in 0..2 {
        let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
        engine.infra(&engine.claimed(), outcome);
        let (task, job) = engine.store.standing(&key).unwrap();
        let job = job.unwrap();
        let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
        let decision = retried(situation(&task, &job)).unwrap();
        engine.store.apply(at(5), &guard, &decision, None).unwrap();
    }
    let alerts = engine.store.outbox_pending(at(30), 10).unwrap();
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    engine.store.outbox_delivered(at(31), alerts[0].id).unwrap();
    let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
    engine.infra(&engine.claimed(), outcome);
    assert_eq!(engine.store.outbox_pending(at(32), 10).unwrap().len(), 1, "a new one after it");
}

pub fn a_hold_is_always_explained(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let decision = Decision {
        step: Step::Hold(Hold { kind: HoldKind::Config, reason: "  ".to_owned() }),
        progress: claim.task.progress.clone(),
        events: vec![],
        alerts: vec![],
    };
    engine.store.apply(at(20), &Guard::Run(fence(&claim)), &decision, None).unwrap();
    let job = engine.store.active_job(claim.task.id).unwrap().unwrap();
    let JobState::Held { hold, since } = job.state else { panic!("{job:?}") };
    assert_eq!((hold.reason.as_str(), since), ("no reason was given", at(20)));
}
