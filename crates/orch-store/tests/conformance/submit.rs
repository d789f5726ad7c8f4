//! Registration and submission.

use orch_core::decide::Submission;
use orch_core::ids::KeyPrefix;
use orch_store::{IdempotencyKey, NewRepo, StoreError};

use crate::Engine;
use crate::engine::{at, repo, repo_name, submission};

pub fn keys_are_numbered(engine: &Engine) {
    engine.register("world");
    let keys: Vec<String> =
        ["hello", "world", "hello"].map(|repo| engine.submit_to(repo, 0).key.to_string()).to_vec();
    assert_eq!(keys, ["HELLO-1", "WORLD-1", "HELLO-2"]);
    let task = engine.store.task(&keys[0].parse().unwrap()).unwrap();
    assert_eq!((task.title.as_str(), task.gate_slot), ("Add subtraction", Some(0)));
    assert_eq!(task.body, "With tests — and naïve input.");
    let kinds: Vec<_> = engine.store.last_events(&task.key, 10).unwrap();
    let kinds: Vec<&str> = kinds.iter().map(|event| event.what.kind.name()).collect();
    assert_eq!(kinds, ["task.created", "task.stage_entered", "task.admitted"]);
}

pub fn the_same_request_is_one_task(engine: &Engine) {
    let key = |hash: &str| IdempotencyKey {
        scope: "api".to_owned(),
        key: "k1".to_owned(),
        body_hash: hash.to_owned(),
    };
    let submit = |key| engine.store.submit(at(1), &submission("hello", 0), Some(&key));
    let first = submit(key("one")).unwrap();
    let again = submit(key("one")).unwrap();
    assert_eq!((first.fresh, again.fresh, &again.task), (true, false, &first.task));
    let other = submit(key("two")).unwrap_err();
    assert!(
        matches!(&other, StoreError::IdempotencyMismatch { task, .. } if *task == first.task.key)
    );
    assert_eq!(engine.submit().key.to_string(), "HELLO-2");
}

pub fn what_cannot_be_stored_is_refused(engine: &Engine) {
    let mut bad = Vec::new();
    for title in ["", "  ", "a\0b", "two\nlines"] {
        bad.push(Submission { title: title.to_owned(), ..submission("hello", 0) });
    }
    bad.push(submission("hello", 0));
    bad.last_mut().unwrap().pipeline.stages.clear();
    for submission in bad {
        let error = engine.store.submit(at(1), &submission, None).unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error:?}");
    }
    let error = engine.store.submit(at(1), &submission("nowhere", 0), None).unwrap_err();
    assert_eq!(error.to_string(), "there is no repository nowhere");
    assert_eq!(engine.submit().key.to_string(), "HELLO-1", "refusals use no number up");
}

pub fn registration_is_idempotent(engine: &Engine) {
    assert!(!engine.store.register_repo(at(1), &repo("hello")).unwrap());
    let moved = NewRepo { remote: "/elsewhere.git".to_owned(), ..repo("hello") };
    assert!(engine.store.register_repo(at(2), &moved).unwrap());
    let known = engine.store.repo(&repo_name("hello")).unwrap();
    assert_eq!((known.info, known.created_at), (moved, at(0)));
    let mut rival = repo("rival");
    rival.key_prefix = KeyPrefix::new("HELLO").unwrap();
    let error = engine.store.register_repo(at(3), &rival).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
    assert_eq!(engine.store.repos().unwrap().len(), 1);
}
