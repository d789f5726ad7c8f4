//! Property tests: whatever happens in whatever order, the promises hold. A small model applies
//! each decision as the store does, and the independent judge looks at every state.

use proptest::prelude::*;

use super::*;
use crate::audit::{State, audit};
use crate::ids::{JobId, RunId, WorkerId};
use crate::job::{HoldKind, JobState, Ownership};
use crate::outcome::{Outcome, Stuck};
use crate::stage::{MERGE_GATE, standard};
use crate::task::{TaskState, Tested};
use crate::testing::{at, job, now, revision, running, stage, task};
use crate::verdict::{Finding, Verdict};

/// One task and its jobs, as the store would hold them.
struct Model {
    task: Task,
    jobs: Vec<Job>,
}

impl Model {
    fn new() -> Self {
        let task = task("analysis");
        let state = JobState::Queued { available_at: now(), reason: None };
        Self { task, jobs: vec![job("analysis", "analyst", state)] }
    }

    fn active(&self) -> Option<&Job> {
        self.jobs.iter().find(|j| !matches!(j.state, JobState::Finished { .. }))
    }

    fn claim(&mut self) {
        if let Some(job) = self.jobs.iter_mut().find(|j| matches!(j.state, JobState::Queued { .. }))
        {
            job.run_epoch += 1;
            job.state = JobState::Running(Ownership {
                run_id: RunId::from_parts(job.run_epoch as i64, job.id.0 as u64),
                run_epoch: job.run_epoch,
                worker_id: WorkerId::new("w").unwrap(),
                started_at: now(),
                lease_until: now(),
                process: None,
            });
        }
    }

    fn apply(&mut self, decision: Decision) {
        self.task.progress = decision.progress;
        let next_id = JobId(self.jobs.len() as i64 + 1);
        let task_id = self.task.id;
        let active = self
            .jobs
            .iter_mut()
            .find(|j| !matches!(j.state, JobState::Finished { .. }))
            .expect("decisions are made about active jobs");
        match decision.step {
            Step::Next { result, reason, job: next } => {
                active.state = JobState::Finished { result, at: now(), reason };
                let state = match next.start {
                    Start::Queued { available_at, reason } => {
                        JobState::Queued { available_at, reason }
                    }
                    Start::Held(hold) => JobState::Held { hold, since: now() },
                };
                let fresh = job(next.stage.as_str(), next.agent.as_str(), state);
                self.jobs.push(Job { id: next_id, task_id, run_epoch: 0, ..fresh });
            }
            Step::Requeue { available_at, reason, counts } => {
                active.state = JobState::Queued { available_at, reason: Some(reason) };
                match counts {
                    Counts::Nothing => {}
                    Counts::Defer => active.defers += 1,
                    Counts::Unknown => active.unknowns += 1,
                    Counts::Stop => active.stops += 1,
                    Counts::Crash => active.crashes += 1,
                    Counts::Reset => {
                        (active.defers, active.unknowns, active.stops, active.crashes) =
                            (0, 0, 0, 0);
                    }
                }
            }
            Step::Hold(hold) => active.state = JobState::Held { hold, since: now() },
            Step::End(end) => {
                let (result, state) = match end {
                    TaskEnd::Done => (JobResult::Succeeded, TaskState::Done { at: now() }),
                    TaskEnd::Cancelled { reason } => {
                        (JobResult::Cancelled, TaskState::Cancelled { at: now(), reason })
                    }
                };
                active.state = JobState::Finished { result, at: now(), reason: None };
                self.task.state = state;
                self.task.gate_slot = None;
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Fact {
    Ran(Outcome, Verdict),
    Merged(MergeResult),
    Lost(Loss),
    Retry,
    Approve,
    Answer,
    Cancel,
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => (0..3_i32).prop_map(|exit_code| Outcome::SuiteRan { exit_code }),
        1 => Just(Outcome::TransientInfra { reason: "dns".into() }),
        1 => Just(Outcome::PermanentEnv { reason: "no docker".into() }),
        1 => Just(Outcome::Unproven { reason: "zero tests".into() }),
        1 => Just(Outcome::Unknown { reason: "exit code 1".into() }),
        1 => any::<bool>().prop_map(|again| Outcome::AgentStuck {
            how: Stuck::ContextOverflow,
            reason: "too long".into(),
            again,
        }),
        1 => Just(Outcome::RateLimited { until: now() }),
        1 => Just(Outcome::TimedOut { limit_ms: 1 }),
        1 => Just(Outcome::Stalled { limit_ms: 1 }),
        1 => Just(Outcome::Lost { reason: "gone".into() }),
        1 => Just(Outcome::Cancelled),
    ]
}

fn verdicts() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Pass { reasons: vec![] }),
        1 => Just(Verdict::Fail { findings: vec![Finding::new("wrong")] }),
        1 => Just(Verdict::refused("absent")),
    ]
}

fn merges() -> impl Strategy<Value = MergeResult> {
    prop_oneof![
        2 => Just(MergeResult::Landed { commit: revision('a') }),
        1 => Just(MergeResult::NotTested { head: revision('b') }),
        1 => Just(MergeResult::Rejected { findings: vec![Finding::new("conflict")], head: revision('c') }),
        1 => Just(MergeResult::Moved),
        1 => outcomes().prop_filter("infrastructure", |o| !matches!(o, Outcome::SuiteRan { .. })).prop_map(MergeResult::Infra),
    ]
}

fn facts() -> impl Strategy<Value = Fact> {
    prop_oneof![
        12 => (outcomes(), verdicts()).prop_map(|(o, v)| Fact::Ran(o, v)),
        6 => merges().prop_map(Fact::Merged),
        1 => Just(Fact::Lost(Loss::NeverStarted)),
        1 => Just(Fact::Lost(Loss::Stopped)),
        1 => Just(Fact::Lost(Loss::Vanished { reason: "reboot".into() })),
        3 => Just(Fact::Retry),
        1 => Just(Fact::Approve),
        1 => Just(Fact::Answer),
        1 => Just(Fact::Cancel),
    ]
}

/// The decision for a fact, where the fact can happen in this state.
fn decide(model: &Model, fact: &Fact) -> Option<Decision> {
    let active = model.active()?;
    let here = at(&model.task, active);
    let runs = matches!(active.state, JobState::Running(_));
    let merging = active.agent.as_str() == MERGE_GATE;
    let policy = Policy::default();
    match fact {
        Fact::Ran(outcome, verdict) if runs && !merging => {
            let tested = Tested {
                commit: revision('d'),
                code_tree: crate::ids::TreeId::new("e".repeat(40)).unwrap(),
            };
            let report = RunReport {
                outcome: outcome.clone(),
                verdict: verdict.clone(),
                head: Some(revision('d')),
                tested: Some(tested),
            };
            Some(run_ended(here, report, &policy, 7))
        }
        Fact::Merged(result) if runs && merging => {
            Some(merge_ended(here, result.clone(), &policy, 7))
        }
        Fact::Lost(loss) if runs => Some(run_lost(here, loss, &policy)),
        Fact::Retry => retried(here).ok(),
        Fact::Approve => approved(here, "someone").ok(),
        Fact::Answer => answered(here, "do it so").ok(),
        Fact::Cancel => cancelled(here, "not wanted").ok(),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_the_promises_hold(sequence in prop::collection::vec(facts(), 1..60)) {
        let mut model = Model::new();
        for fact in sequence {
            model.claim();
            let before = model.task.progress.clone();
            let Some(decision) = decide(&model, &fact) else { continue };
            let bounced = decision.progress.bounces > before.bounces;
            let from = model.task.pipeline.position(&before.stage);
            let to = model.task.pipeline.position(&decision.progress.stage);
            let ends = matches!(decision.step, Step::End(TaskEnd::Done));
            if bounced {
                let judged = matches!(&fact, Fact::Ran(Outcome::SuiteRan { .. }, Verdict::Fail { .. }) | Fact::Merged(MergeResult::Rejected { .. }));
                prop_assert!(judged, "a bounce followed {fact:?}");
            }
            if to > from || ends {
                let passed = matches!(&fact, Fact::Ran(Outcome::SuiteRan { .. }, Verdict::Pass { .. }) | Fact::Merged(MergeResult::Landed { .. }) | Fact::Approve);
                prop_assert!(passed, "a stage advanced after {fact:?}");
            }
            if let Fact::Ran(outcome, _) | Fact::Merged(MergeResult::Infra(outcome)) = &fact
                && !matches!(outcome, Outcome::SuiteRan { .. })
            {
                prop_assert_eq!(&before.stage, &decision.progress.stage);
                prop_assert_eq!(before.attempts, decision.progress.attempts);
            }
            if let Step::Hold(hold) | Step::Next { job: NextJob { start: Start::Held(hold), .. }, .. } = &decision.step {
                prop_assert!(!hold.reason.is_empty());
                prop_assert!(!decision.alerts.is_empty(), "nobody is told of a hold");
            }
            prop_assert!(!decision.events.is_empty(), "something happened without a record");
            model.apply(decision);
            let state = State { tasks: vec![model.task.clone()], jobs: model.jobs.clone(), gate_width: None };
            prop_assert_eq!(audit(&state), vec![]);
        }
    }
}

/// A task is held at last, however the same fault goes on: no loop is endless.
#[test]
fn every_repeated_fault_ends_in_a_hold() {
    let faults = [
        Fact::Ran(Outcome::SuiteRan { exit_code: 0 }, Verdict::refused("absent")),
        Fact::Ran(Outcome::TransientInfra { reason: "dns".into() }, Verdict::refused("-")),
        Fact::Ran(Outcome::Unknown { reason: "exit code 1".into() }, Verdict::refused("-")),
        Fact::Ran(
            Outcome::AgentStuck { how: Stuck::Refusal, reason: "no".into(), again: false },
            Verdict::refused("-"),
        ),
        Fact::Ran(Outcome::TimedOut { limit_ms: 1 }, Verdict::refused("-")),
        Fact::Ran(Outcome::Stalled { limit_ms: 1 }, Verdict::refused("-")),
        Fact::Ran(Outcome::Cancelled, Verdict::refused("-")),
        Fact::Ran(Outcome::Lost { reason: "gone".into() }, Verdict::refused("-")),
        Fact::Lost(Loss::NeverStarted),
        Fact::Lost(Loss::Vanished { reason: "gone".into() }),
        Fact::Ran(Outcome::PermanentEnv { reason: "no docker".into() }, Verdict::refused("-")),
    ];
    for fault in faults {
        let mut model = Model::new();
        let mut steps = 0;
        while !matches!(model.active().map(|j| &j.state), Some(JobState::Held { .. })) {
            model.claim();
            let decision = decide(&model, &fault).expect("the fault can happen to a running job");
            model.apply(decision);
            steps += 1;
            assert!(steps < 100, "{fault:?} goes on for ever");
        }
    }
}

#[test]
fn the_merge_gate_goes_before_the_deploy_and_the_deploy_after_it() {
    let task = task("deploy-staging");
    let job = job("deploy-staging", "staging-runner", running());
    let pass = RunReport {
        outcome: Outcome::SuiteRan { exit_code: 0 },
        verdict: Verdict::Pass { reasons: vec![] },
        head: None,
        tested: None,
    };
    let decision = run_ended(at(&task, &job), pass, &Policy::default(), 0);
    let Step::Next { job: next, .. } = &decision.step else { panic!("{decision:?}") };
    assert_eq!((next.stage.as_str(), next.agent.as_str()), ("deploy", MERGE_GATE));

    let mut landing = task.clone();
    landing.progress = decision.progress;
    let gate = crate::testing::job("deploy", MERGE_GATE, running());
    let landed = MergeResult::Landed { commit: revision('a') };
    let decision = merge_ended(at(&landing, &gate), landed, &Policy::default(), 0);
    let Step::Next { job: next, .. } = &decision.step else { panic!("{decision:?}") };
    assert_eq!((next.stage.as_str(), next.agent.as_str()), ("deploy", "deploy-finalizer"));
}

#[test]
fn a_moved_main_is_tested_again_and_burns_no_bounce() {
    let task = task("deploy");
    let gate = job("deploy", MERGE_GATE, running());
    let result = MergeResult::NotTested { head: revision('b') };
    let decision = merge_ended(at(&task, &gate), result, &Policy::default(), 0);
    assert_eq!((decision.progress.stage.as_str(), decision.progress.bounces), ("testing", 0));
    assert_eq!(decision.progress.tested, None);
}

#[test]
fn a_conflict_goes_back_to_the_code_although_a_bad_deploy_holds() {
    let task = task("deploy");
    let gate = job("deploy", MERGE_GATE, running());
    let hunks = Finding::new("conflict in src/x").with_detail("<<<");
    let result = MergeResult::Rejected { findings: vec![hunks.clone()], head: revision('b') };
    let decision = merge_ended(at(&task, &gate), result, &Policy::default(), 0);
    assert_eq!(decision.progress.stage.as_str(), "development");
    assert_eq!(decision.progress.feedback, vec![hunks]);

    let runner = job("deploy", "deploy-finalizer", running());
    let failed = RunReport {
        outcome: Outcome::SuiteRan { exit_code: 1 },
        verdict: Verdict::Fail { findings: vec![Finding::new("unhealthy")] },
        head: None,
        tested: None,
    };
    let decision = run_ended(at(&task, &runner), failed, &Policy::default(), 0);
    assert!(matches!(decision.step, Step::Hold(Hold { kind: HoldKind::Deploy, .. })));
}

#[test]
fn the_standard_table_and_the_test_pipeline_agree() {
    for spec in &task("analysis").pipeline.stages {
        assert!(standard(spec.name.as_str()).is_some());
    }
    assert_eq!(task("analysis").pipeline.first().name, stage("analysis"));
}

#[test]
fn a_landed_task_can_no_longer_be_cancelled() {
    let mut landed = task("deploy");
    landed.progress.merged = Some(revision('a'));
    let job = job("deploy", "deploy-finalizer", running());
    assert!(cancelled(at(&landed, &job), "x").is_err());
}

/// A job that takes its worker down is held at the third time; its neighbours in the story count
/// nothing: adoption is no decision at all, and a service stopped in order did not crash.
#[test]
fn a_job_that_takes_its_worker_down_three_times_is_held() {
    let at_hand = task("review");
    let vanished = || Loss::Vanished { reason: "its supervisor is gone".to_owned() };
    let mut job = job("review", "reviewer", running());
    for (loss, crashes) in
        [(vanished(), 1), (Loss::Stopped, 1), (Loss::NeverStarted, 2), (Loss::Stopped, 2)]
    {
        let decision = run_lost(at(&at_hand, &job), &loss, &Policy::default());
        let Step::Requeue { counts, available_at, .. } = decision.step else {
            panic!("{loss:?}: {decision:?}")
        };
        assert_eq!(available_at, now());
        job.crashes += u32::from(counts == Counts::Crash);
        assert_eq!(job.crashes, crashes, "{loss:?}");
        assert_eq!(decision.progress, at_hand.progress, "it costs the task nothing");
    }
    let last = run_lost(at(&at_hand, &job), &vanished(), &Policy::default());
    let Step::Hold(hold) = last.step else { panic!("{last:?}") };
    assert_eq!(hold.kind, HoldKind::Infra);
    assert_eq!(hold.reason, "it was lost with its worker 3 times; last: its supervisor is gone");
    assert_eq!((last.alerts.len(), last.progress), (1, at_hand.progress));
}

/// What is stuck is tried once in a fresh session; the second time somebody has to look.
#[test]
fn a_stuck_agent_gets_one_fresh_session() {
    let stuck = |again| {
        let reason = "the model refuses to go on".to_owned();
        let outcome = Outcome::AgentStuck { how: Stuck::Refusal, reason, again };
        Fact::Ran(outcome, Verdict::refused("-"))
    };
    let mut model = Model::new();
    model.claim();
    let decision = decide(&model, &stuck(false)).unwrap();
    let Step::Requeue { reason, counts: Counts::Defer, .. } = &decision.step else {
        panic!("{decision:?}")
    };
    assert_eq!(reason, "the model refuses to go on; once more in a fresh session");
    model.apply(decision);
    model.claim();
    let decision = decide(&model, &stuck(true)).unwrap();
    let Step::Hold(hold) = &decision.step else { panic!("{decision:?}") };
    assert_eq!(hold.kind, HoldKind::Budget);
    assert_eq!(hold.reason, "the model refuses to go on; the same in a fresh session");
}
