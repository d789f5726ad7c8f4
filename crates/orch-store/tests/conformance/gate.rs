//! The serial gate, as the store keeps it.

use orch_core::outcome::Outcome;
use orch_core::serial_gate::GatePolicy;
use orch_store::StoreError;

use crate::Engine;
use crate::engine::{at, repo_name};

pub fn pause_steps_aside_and_resume_takes_the_place_again(engine: &Engine) {
    let [first, second, third] = [engine.submit(), engine.submit(), engine.submit()];
    assert!(engine.store.pause(at(2), &first.key, Some("on holiday")).unwrap());
    assert!(!engine.store.pause(at(3), &first.key, Some("other")).unwrap(), "idempotent");
    let paused = engine.store.task(&first.key).unwrap();
    let pause = paused.paused.unwrap();
    assert_eq!((pause.at, pause.reason.as_deref()), (at(2), Some("on holiday")));
    let claim = engine.claimed();
    assert_eq!(claim.task.key, second.key);
    assert!(engine.store.resume(at(4), &first.key).unwrap());
    assert!(!engine.store.resume(at(5), &first.key).unwrap(), "idempotent");
    engine.pass(&claim);
    engine.pass(&engine.claimed());
    assert_eq!(engine.claimed().task.key, first.key, "before {}", third.key);
    assert_eq!(engine.violations(), []);
}

pub fn held_tasks_block_nobody(engine: &Engine) {
    engine.submit();
    let second = engine.submit();
    let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
    engine.infra(&engine.claimed(), outcome);
    assert_eq!(engine.claimed().task.key, second.key);
}

pub fn frozen_lets_nobody_in(engine: &Engine) {
    let hello = repo_name("hello");
    let inside = engine.submit();
    assert!(engine.store.freeze(at(2), &hello, Some("release")).unwrap());
    assert!(!engine.store.freeze(at(3), &hello, None).unwrap(), "idempotent");
    engine.submit();
    engine.pass(&engine.claimed());
    let claim = engine.claimed();
    assert_eq!(claim.task.key, inside.key, "whoever is inside goes on");
    engine.pass(&claim);
    assert_eq!(engine.claim(), None);
    assert_eq!(engine.store.readmit(at(3)).unwrap(), 0);
    assert!(engine.store.unfreeze(at(4), &hello).unwrap());
    assert!(!engine.store.unfreeze(at(5), &hello).unwrap(), "idempotent");
    assert!(engine.claim().is_some());
    for error in [
        engine.store.freeze(at(6), &repo_name("nowhere"), None),
        engine.store.unfreeze(at(6), &repo_name("nowhere")),
    ] {
        assert!(matches!(error, Err(StoreError::NotFound { .. })));
    }
}

pub fn finished_tasks_conflict(engine: &Engine) {
    let key = engine.submit().key;
    for _ in 0..2 {
        engine.pass(&engine.claimed());
    }
    for result in [engine.store.pause(at(30), &key, None), engine.store.resume(at(30), &key)] {
        assert!(matches!(result, Err(StoreError::Conflict { .. })), "{result:?}");
    }
    let unknown = "HELLO-99".parse().unwrap();
    let error = engine.store.pause(at(30), &unknown, None).unwrap_err();
    assert_eq!(error.to_string(), "there is no task HELLO-99");
}

pub fn the_view_shows_who_waits_and_why(engine: &Engine) {
    let keys: Vec<_> = (0..5).map(|_| engine.submit().key).collect();
    let outcome = Outcome::PermanentEnv { reason: "no docker".to_owned() };
    engine.infra(&engine.claimed(), outcome);
    engine.store.pause(at(2), &keys[2], Some("later")).unwrap();
    let view = engine.store.gate_view(&repo_name("hello")).unwrap();
    assert_eq!(view.holders, [keys[1].clone()]);
    assert_eq!((view.waiting.as_slice(), view.waiting_total), (&keys[3..], 2));
    assert_eq!(view.paused[0].0, keys[2]);
    assert_eq!((&view.held[0].0, view.held[0].1.reason.as_str()), (&keys[0], "no docker"));
    let queue = engine.store.queue_snapshot(at(30)).unwrap();
    assert_eq!(queue.gates, [view]);
    assert_eq!((queue.counts.queued, queue.counts.held, queue.counts.running), (4, 1, 0));
    assert_eq!(queue.next.len(), 1);
}

pub fn switched_off_it_admits_everybody(engine: &Engine) {
    let keys: Vec<_> = (0..3).map(|_| engine.submit().key).collect();
    let gate = GatePolicy { enabled: false, width: 1 };
    let open = engine.again(gate).unwrap();
    assert_eq!(open.readmit(at(2)).unwrap(), 2);
    assert_eq!(open.readmit(at(3)).unwrap(), 0, "nothing left to do");
    let slots: Vec<_> = keys.iter().map(|key| open.task(key).unwrap().gate_slot).collect();
    assert_eq!(slots, [Some(0), Some(1), Some(2)]);
    assert!(open.pause(at(4), &keys[0], None).unwrap());
    assert!(open.resume(at(5), &keys[0]).unwrap());
    assert!(open.task(&keys[0]).unwrap().gate_slot.is_some());
    assert_eq!(engine.violations(), []);
}
