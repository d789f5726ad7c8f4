//! The serial gate, as the store keeps it.

use std::collections::BTreeSet;

use orch_core::ids::StageName;
use orch_core::outcome::Outcome;
use orch_core::serial_gate::{GatePolicy, PASSAGE};
use orch_core::task::Task;
use orch_store::{Store, StoreError, StoreOptions};

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
    let open = Store::open(&engine.path(), StoreOptions { gate }).unwrap();
    assert_eq!(open.readmit(at(2)).unwrap(), 2);
    assert_eq!(open.readmit(at(3)).unwrap(), 0, "nothing left to do");
    let slots: Vec<_> = keys.iter().map(|key| open.task(key).unwrap().gate_slot).collect();
    assert_eq!(slots, [Some(0), Some(1), Some(2)]);
    assert!(open.pause(at(4), &keys[0], None).unwrap());
    assert!(open.resume(at(5), &keys[0]).unwrap());
    assert!(open.task(&keys[0]).unwrap().gate_slot.is_some());
    assert_eq!(engine.violations(), []);
}

/// The names of stages, as the setting gives them.
fn stages(names: &[&str]) -> BTreeSet<StageName> {
    names.iter().map(|name| StageName::new(*name).unwrap()).collect()
}

fn has_passage(engine: &Engine, task: &Task) -> bool {
    engine.store.task(&task.key).unwrap().gate_slot.is_some_and(|slot| slot >= PASSAGE)
}

pub fn stages_before_the_gate_wait_for_nobody(engine: &Engine) {
    assert!(engine.store.guard_stages(&stages(&["testing"])).unwrap());
    assert!(!engine.store.guard_stages(&stages(&["testing"])).unwrap(), "idempotent");
    let [first, second, third] = [engine.submit(), engine.submit(), engine.submit()];
    assert!([&first, &second, &third].into_iter().all(|task| has_passage(engine, task)));
    let [one, two, three] = [engine.claimed(), engine.claimed(), engine.claimed()];
    // The second is the first at the gate, and in: the first has to wait for it, the third too.
    engine.pass(&two);
    engine.pass(&one);
    engine.pass(&three);
    let inside = engine.claimed();
    assert_eq!((&inside.task.key, inside.job.stage.as_str()), (&second.key, "testing"));
    assert_eq!(engine.claim(), None, "the width is one");
    let view = engine.store.gate_view(&repo_name("hello")).unwrap();
    assert_eq!((view.holders, view.waiting), (vec![second.key], vec![first.key, third.key]));
    for expected in [&inside.task.key, &one.task.key, &three.task.key] {
        let claim = if inside.task.key == *expected { inside.clone() } else { engine.claimed() };
        assert_eq!(&claim.task.key, expected);
        engine.pass(&claim);
        assert_eq!(engine.violations(), []);
    }
}

pub fn stages_behind_the_gate_give_the_slot_free(engine: &Engine) {
    engine.store.guard_stages(&stages(&["development"])).unwrap();
    let [first, second] = [engine.submit(), engine.submit()];
    let one = engine.claimed();
    assert_eq!(engine.claim(), None);
    engine.pass(&one);
    let mut next = [engine.claimed(), engine.claimed()];
    next.sort_by_key(|claim| claim.task.id);
    assert_eq!(next.each_ref().map(|claim| &claim.task.key), [&first.key, &second.key]);
    assert!(has_passage(engine, &first), "it is past the gate");
    // Sent back it stands before the gate again, older than all, and waits for the slot.
    engine.fail(&next[0]);
    assert_eq!(engine.claim(), None);
    engine.pass(&next[1]);
    let back = engine.store.gate_view(&repo_name("hello")).unwrap();
    assert_eq!(back.holders, [first.key]);
    assert_eq!(engine.violations(), []);
}

pub fn freeze_and_pause_keep_to_the_guarded_stages(engine: &Engine) {
    let hello = repo_name("hello");
    engine.store.guard_stages(&stages(&["testing"])).unwrap();
    engine.store.freeze(at(2), &hello, None).unwrap();
    let task = engine.submit();
    let claim = engine.claimed();
    engine.pass(&claim);
    assert_eq!(engine.claim(), None, "nobody enters a frozen gate");
    engine.store.unfreeze(at(3), &hello).unwrap();
    engine.pass(&engine.claimed());

    let [first, second] = [engine.submit(), engine.submit()];
    engine.store.pause(at(4), &first.key, None).unwrap();
    assert_eq!(engine.store.task(&first.key).unwrap().gate_slot, None);
    assert_eq!(engine.claimed().task.key, second.key);
    engine.store.resume(at(5), &first.key).unwrap();
    assert!(has_passage(engine, &first), "it is not at the gate yet");
    let claim = engine.claimed();
    engine.infra(&claim, Outcome::PermanentEnv { reason: "no docker".to_owned() });
    assert_eq!(engine.store.task(&first.key).unwrap().gate_slot, None, "a held task has nothing");
    assert!(!engine.store.task(&task.key).unwrap().state.is_open());
    assert_eq!(engine.violations(), []);
}

/// The setting changes while tasks stand everywhere; one tick makes it felt, and one is enough.
pub fn a_change_of_the_guarded_stages_is_felt(engine: &Engine) {
    let [first, second] = [engine.submit(), engine.submit()];
    assert_eq!(engine.store.task(&second.key).unwrap().gate_slot, None);
    engine.store.guard_stages(&stages(&["testing"])).unwrap();
    assert!(engine.store.readmit(at(2)).unwrap() > 0);
    assert_eq!(engine.store.readmit(at(2)).unwrap(), 0);
    assert!(has_passage(engine, &first) && has_passage(engine, &second));
    engine.store.guard_stages(&stages(&[])).unwrap();
    assert!(engine.store.readmit(at(3)).unwrap() > 0);
    assert_eq!(engine.store.readmit(at(3)).unwrap(), 0);
    assert_eq!(engine.store.task(&first.key).unwrap().gate_slot, Some(0));
    assert_eq!(engine.store.task(&second.key).unwrap().gate_slot, None);
    assert_eq!(engine.violations(), []);
}

/// A task whose row is garbage holds the only slot; and one whose row is garbage is the next.
pub fn a_dead_task_never_wedges_its_gate(engine: &Engine) {
    let [_, _, third, fourth] =
        [engine.submit(), engine.submit(), engine.submit(), engine.submit()];
    engine.force("UPDATE tasks SET pipeline = 'garbage' WHERE id IN (1, 2)");
    let mut claimed = Vec::new();
    for _ in 0..8 {
        engine.store.sanitize(at(9)).unwrap();
        engine.store.readmit(at(9)).unwrap();
        if let Some(claim) = engine.claim() {
            claimed.push(claim.task.key.clone());
            engine.pass(&claim);
        }
    }
    claimed.dedup();
    assert_eq!(claimed, [third.key, fourth.key]);
}
