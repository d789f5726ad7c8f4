//! Deploys: a journal that only its driver writes, and a lock that one deploy has.

use std::time::Duration;

use orch_core::decide::cancelled;
use orch_core::deploy::{
    Action, End, Entry, Patience, Purpose, Ran, Seen, StepResult, Stuck, Watch,
};
use orch_core::ids::{RunId, WorkerId};
use orch_core::job::Fence;
use orch_store::{
    Claim, Deploy, DeployEnd, Guard, LockFence, LockRequest, MonitorState, NewDeploy, NewMonitor,
    NewStep, StoreError,
};

use crate::Engine;
use crate::engine::{LEASE, at, fence, revision, situation, worker};

fn new(claim: &Claim, fence: Option<Fence>, run_id: &RunId) -> NewDeploy {
    NewDeploy {
        task_id: claim.task.id,
        target: "production".into(),
        purpose: Purpose::Deploy,
        revision: revision('b'),
        run_id: run_id.clone(),
        fence,
    }
}

fn begin(engine: &Engine, claim: &Claim) -> Deploy {
    let fence = fence(claim);
    let new = new(claim, Some(fence.clone()), &fence.run_id);
    engine.store.begin_deploy(at(1), &new).unwrap()
}

fn lock_at(
    engine: &Engine,
    deploy: &Deploy,
    who: &str,
    lease: Duration,
) -> Result<StepResult, StoreError> {
    let request = LockRequest {
        deploy_id: deploy.id,
        run_id: deploy.run_id.clone(),
        worker_id: worker(who),
        lease,
        newer: None,
    };
    engine.store.lock_deploy_target(at(2), &request)
}

fn lock(engine: &Engine, deploy: &Deploy) -> LockFence {
    match lock_at(engine, deploy, "w-1", LEASE).unwrap() {
        StepResult::Locked { epoch, .. } => LockFence { target: deploy.target.clone(), epoch },
        other => panic!("{other:?}"),
    }
}

fn step(deploy: &Deploy, lock: &LockFence, action: Action) -> NewStep {
    NewStep {
        deploy_id: deploy.id,
        lock: lock.clone(),
        lease: LEASE,
        run_id: deploy.run_id.clone(),
        worker_id: worker("w-1"),
        busy: action.changes_target().then_some(Duration::from_mins(1)),
        dir: action.is_command().then(|| "deploys/1/2".to_owned()),
        action,
    }
}

fn ran() -> StepResult {
    StepResult::Ran { ran: Ran::Well, said: "fine".into() }
}

fn conflicts<T: std::fmt::Debug>(result: &Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
}

fn end(deploy: &Deploy, end: End, monitor: Option<NewMonitor>) -> DeployEnd {
    DeployEnd {
        deploy_id: deploy.id,
        run_id: deploy.run_id.clone(),
        end,
        monitor,
        events: vec![],
        alerts: vec![],
    }
}

fn done() -> End {
    End::Done { evidence: "healthy".into() }
}

pub fn an_intent_stands_before_its_result(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let deploy = begin(engine, &claim);
    let held = lock(engine, &deploy);
    let seq =
        engine.store.intend_deploy_step(at(3), &step(&deploy, &held, Action::Deploy)).unwrap();
    let open = engine.store.deploy_steps(deploy.id).unwrap();
    assert_eq!(open[1].entry, Entry { action: Action::Deploy, result: None });
    assert_eq!((open[1].seq, open[1].dir.as_deref()), (seq, Some("deploys/1/2")));
    // One thing at a time, and no end over an open intent.
    let second = engine.store.intend_deploy_step(at(3), &step(&deploy, &held, Action::Verify));
    assert!(matches!(second, Err(StoreError::Constraint { .. })), "{second:?}");
    conflicts(&engine.store.end_deploy(at(4), &end(&deploy, done(), None)));
    engine.store.confirm_deploy_step(at(4), deploy.id, &deploy.run_id, seq, &ran()).unwrap();
    conflicts(&engine.store.confirm_deploy_step(at(4), deploy.id, &deploy.run_id, seq, &ran()));
    let steps = engine.store.deploy_steps(deploy.id).unwrap();
    assert_eq!(steps[1].entry.result, Some(ran()));
    engine.store.end_deploy(at(5), &end(&deploy, done(), None)).unwrap();
    let ended = engine.store.last_deploy(claim.task.id).unwrap().unwrap();
    assert_eq!(ended.ended, Some((done(), at(5))));
    let target = engine.store.deploy_target("production").unwrap().unwrap();
    assert_eq!(target.lock.held, None);
    assert_eq!(target.good.map(|(_, good)| good), Some(revision('b')));
    conflicts(&engine.store.end_deploy(at(6), &end(&deploy, done(), None)));
}

pub fn another_run_takes_a_deploy_up_and_the_first_one_is_refused(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let first = begin(engine, &claim);
    let held = lock(engine, &first);
    let seq = engine.store.intend_deploy_step(at(3), &step(&first, &held, Action::Deploy)).unwrap();
    let other = RunId::from_parts(9, 9);
    let second = engine.store.begin_deploy(at(4), &new(&claim, None, &other)).unwrap();
    assert_eq!((second.id, &second.run_id), (first.id, &other), "the open one goes on");
    conflicts(&engine.store.confirm_deploy_step(at(5), first.id, &first.run_id, seq, &ran()));
    conflicts(&engine.store.end_deploy(at(5), &end(&first, done(), None)));
    engine.store.confirm_deploy_step(at(5), second.id, &other, seq, &ran()).unwrap();
    // Who has lost the job begins nothing.
    let lost = Fence { run_epoch: 99, ..fence(&claim) };
    let refused = engine.store.begin_deploy(at(6), &new(&claim, Some(lost), &first.run_id));
    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    // Its end is handed out until a run has brought it to the task.
    engine.store.end_deploy(at(7), &end(&second, done(), None)).unwrap();
    let again = engine.store.begin_deploy(at(8), &new(&claim, None, &other)).unwrap();
    assert_eq!((again.id, again.ended.is_some()), (first.id, true));
    // Another revision of the task begins anew.
    let moved = NewDeploy { revision: revision('c'), ..new(&claim, None, &other) };
    let anew = engine.store.begin_deploy(at(9), &moved).unwrap();
    assert_ne!(anew.id, first.id);
    assert_eq!(anew.ended, None);
}

pub fn a_target_has_one_owner_and_a_dead_one_is_followed(engine: &Engine) {
    engine.submit();
    engine.submit();
    let claim = engine.claimed();
    let one = begin(engine, &claim);
    let held = lock(engine, &one);
    let other_task = engine.store.task(&"HELLO-2".parse().unwrap()).unwrap();
    let other_run = RunId::from_parts(8, 8);
    let new = NewDeploy { task_id: other_task.id, ..new(&claim, None, &other_run) };
    let two = engine.store.begin_deploy(at(2), &new).unwrap();
    let StepResult::Busy { by, .. } = lock_at(engine, &two, "w-2", LEASE).unwrap() else {
        panic!("two deploys have one target")
    };
    assert!(by.contains("w-1"), "{by}");
    // The owner dies in the middle of a command that may be at work for a while yet.
    engine.store.intend_deploy_step(at(3), &step(&one, &held, Action::Deploy)).unwrap();
    engine.raw("UPDATE deploy_targets SET lease_until = 5").unwrap();
    let waits = lock_at(engine, &two, "w-2", LEASE).unwrap();
    assert!(matches!(waits, StepResult::Busy { .. }), "{waits:?}");
    engine.raw("UPDATE deploy_targets SET busy_until = 6").unwrap();
    let taken = lock_at(engine, &two, "w-2", LEASE).unwrap();
    let StepResult::Locked { epoch, taken_over: Some(evidence), .. } = taken else {
        panic!("{taken:?}")
    };
    assert!(epoch > held.epoch && evidence.contains("w-1"), "{evidence}");
    // It comes back too late: what it intends is refused, and nothing else is disturbed.
    engine.store.confirm_deploy_step(at(5), one.id, &one.run_id, 2, &ran()).unwrap();
    let back = step(&one, &held, Action::Rollback { to: revision('a') });
    conflicts(&engine.store.intend_deploy_step(at(6), &back));
    engine.store.renew_deploy_locks(at(7), &worker("w-1"), LEASE, &[held]).unwrap();
    let target = engine.store.deploy_target("production").unwrap().unwrap();
    assert_eq!(target.lock.held.map(|held| held.worker), Some(worker("w-2")));
    // Stuck, it gives the lock back and stays open.
    let stuck =
        End::Stuck(Stuck { reason: "the probe fails".into(), patience: Patience::Somebody });
    engine.store.end_deploy(at(8), &end(&two, stuck, None)).unwrap();
    assert!(engine.store.deploy(two.id).unwrap().ended.is_none());
    let StepResult::Locked { intervened, .. } = lock_at(engine, &one, "w-1", LEASE).unwrap() else {
        panic!("the lock was given back")
    };
    assert!(intervened, "somebody else was there meanwhile");
    assert_eq!(engine.store.deploy_lock_held(at(9), one.id, &worker("w-2"), LEASE).unwrap(), None);
    assert!(engine.store.deploy_lock_held(at(9), one.id, &worker("w-1"), LEASE).unwrap().is_some());
}

pub fn a_lease_that_ran_out_keeps_its_owner_from_acting(engine: &Engine) {
    engine.submit();
    let deploy = begin(engine, &engine.claimed());
    let held = lock(engine, &deploy);
    engine.raw("UPDATE deploy_targets SET lease_until = 5").unwrap();
    conflicts(&engine.store.intend_deploy_step(at(6), &step(&deploy, &held, Action::Deploy)));
    assert_eq!(engine.store.deploy_steps(deploy.id).unwrap().len(), 1, "nothing was intended");
}

fn watched(engine: &Engine, deploy: &Deploy) {
    let monitor = NewMonitor {
        good: Seen::default(),
        back_to: Some(revision('a')),
        first_look: at(10),
        until: at(1_000),
    };
    engine.store.end_deploy(at(5), &end(deploy, done(), Some(monitor))).unwrap();
}

pub fn a_monitor_is_one_workers_and_ends_once(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let deploy = begin(engine, &claim);
    lock(engine, &deploy);
    watched(engine, &deploy);
    let (one, two) = (worker("w-1"), worker("w-2"));
    // Leases go by the clock that all share, which is far beyond these moments on a server.
    let claim_for = |who: &WorkerId| engine.store.claim_monitors(at(20), who, LEASE, 9).unwrap();
    assert_eq!(claim_for(&one).len(), 1);
    assert_eq!(claim_for(&two), vec![], "another one has it");
    let watch = Watch { looks: 1, ..Watch::default() };
    let note = |who: &WorkerId| {
        engine
            .store
            .note_monitor_look(at(21), (deploy.id, who), &watch, at(30), None, None)
            .unwrap()
    };
    assert!(!note(&two));
    assert!(note(&one));
    let monitor = engine.store.monitor_of(claim.task.id).unwrap().unwrap();
    assert_eq!((monitor.state, &monitor.watch), (MonitorState::Watching, &watch));
    let settle = |state| {
        engine.store.settle_monitor(at(40), deploy.id, state, Some("over"), (vec![], vec![]))
    };
    assert!(settle(MonitorState::Passed).unwrap());
    assert!(!settle(MonitorState::Failed).unwrap(), "it is over");
    conflicts(&settle(MonitorState::Watching));
    assert_eq!(claim_for(&one), vec![]);
}

pub fn a_next_deploy_supersedes_the_watch_before_it(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let deploy = begin(engine, &claim);
    lock(engine, &deploy);
    watched(engine, &deploy);
    let moved = NewDeploy { revision: revision('c'), ..new(&claim, None, &deploy.run_id) };
    let next = engine.store.begin_deploy(at(6), &moved).unwrap();
    let held = lock(engine, &next);
    assert_eq!(engine.store.monitors().unwrap()[0].state, MonitorState::Watching);
    engine.store.intend_deploy_step(at(7), &step(&next, &held, Action::Deploy)).unwrap();
    assert_eq!(engine.store.monitors().unwrap()[0].state, MonitorState::Superseded);
}

pub fn a_deploy_whose_task_is_over_is_given_up(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let deploy = begin(engine, &claim);
    lock(engine, &deploy);
    assert_eq!(engine.store.abandon_deploys(at(5)).unwrap(), 0);
    let decision = cancelled(situation(&claim.task, &claim.job), "enough").unwrap();
    let (job_id, run_epoch) = (claim.job.id, fence(&claim).run_epoch);
    engine.store.apply(at(5), &Guard::Any { job_id, run_epoch }, &decision, None).unwrap();
    assert_eq!(engine.store.abandon_deploys(at(6)).unwrap(), 1);
    assert!(engine.store.deploy(deploy.id).unwrap().ended.is_some());
    let target = engine.store.deploy_target("production").unwrap().unwrap();
    assert_eq!(target.lock.held, None);
}

pub fn forged_deploys_are_refused(engine: &Engine) {
    engine.submit();
    let claim = engine.claimed();
    let deploy = begin(engine, &claim);
    let held = lock(engine, &deploy);
    engine.store.intend_deploy_step(at(3), &step(&deploy, &held, Action::Deploy)).unwrap();
    let table = [
        ("UPDATE deploys SET state = 'fine'", "deploy_state_known|deploy_end_is_whole"),
        ("UPDATE deploys SET state = 'done'", "deploy_end_is_whole"),
        ("UPDATE deploys SET ended_at = 1", "deploy_end_is_whole"),
        ("UPDATE deploys SET purpose = 'restore'", "restore_is_whole"),
        ("UPDATE deploys SET restore_to = 'x'", "restore_is_whole"),
        ("UPDATE deploys SET lock_epoch = 0", "deploy_epoch_from_one"),
        (
            "INSERT INTO deploys (task_id, target, purpose, revision, run_id, began_at) \
             SELECT task_id, target, purpose, revision, run_id, 0 FROM deploys",
            "deploys.task_id|one_open_deploy",
        ),
        ("UPDATE deploy_steps SET action = 'guess' WHERE seq = 1", "deploy_action_known"),
        ("UPDATE deploy_steps SET result = '{}' WHERE seq = 2", "deploy_step_is_whole"),
        ("UPDATE deploy_steps SET done_at = NULL WHERE seq = 1", "deploy_step_is_whole"),
        (
            "UPDATE deploy_steps SET done_at = NULL, result = NULL WHERE seq = 1",
            "deploy_steps.deploy_id|one_open_intent",
        ),
        ("UPDATE deploy_targets SET worker_id = NULL", "lock_is_whole"),
        ("UPDATE deploy_targets SET deploy_id = NULL", "lock_is_whole"),
        ("UPDATE deploy_targets SET lease_until = NULL", "lock_is_whole"),
        ("UPDATE deploy_targets SET good_revision = 'x'", "good_is_whole"),
    ];
    for (sql, names) in table {
        let error = engine.raw(sql).expect_err(sql);
        assert!(names.split('|').any(|name| error.contains(name)), "{sql}: {error}, not {names}");
    }
}
