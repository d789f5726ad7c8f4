//! The database as a file.

use orch_store::{Store, StoreError, StoreOptions};

use crate::Engine;
use crate::engine::{ONE, at};

pub fn reopening_without_closing_keeps_everything(engine: &Engine) {
    let task = engine.submit();
    let claim = engine.claimed();
    // As after a crash: the first store is never closed.
    std::mem::forget(engine.store.clone());
    let again = engine.again(ONE).unwrap();
    assert_eq!(again.running(None).unwrap(), [(claim.job, claim.task)]);
    again.pause(at(30), &task.key, None).unwrap();
    assert!(engine.store.task(&task.key).unwrap().paused.is_some());
    assert_eq!(again.schema_info().unwrap(), engine.store.schema_info().unwrap());
}

pub fn a_backup_is_a_whole_database(engine: &Engine) {
    let key = engine.submit().key;
    let copy = engine.dir.path().join("copy.db");
    engine.store.backup(&copy).unwrap();
    engine.store.pause(at(5), &key, None).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&copy).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let restored = Store::open(&copy, StoreOptions { gate: ONE }).unwrap();
    assert_eq!(restored.integrity().unwrap(), Vec::<String>::new());
    assert_eq!(restored.task(&key).unwrap().paused, None);
    let error = engine.store.backup(&copy).unwrap_err();
    assert!(error.to_string().contains("will not overwrite"), "{error}");
    let others: Vec<_> = std::fs::read_dir(engine.dir.path())
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with("copy.db.") || name.ends_with(".partial"))
        .collect();
    assert_eq!(others, Vec::<String>::new(), "nothing is left beside the copy");
    let nowhere = engine.dir.path().join("no/such/folder.db");
    assert!(matches!(engine.store.backup(&nowhere), Err(StoreError::Io { .. })));
}

pub fn a_damaged_database_is_copied_as_it_is(engine: &Engine) {
    engine.submit();
    engine.force("UPDATE jobs SET task_id = 77 WHERE id = 1");
    let copy = engine.dir.path().join("copy.db");
    let error = engine.store.backup(&copy).unwrap_err();
    assert!(matches!(&error, StoreError::DamagedCopy { path, .. } if *path == copy), "{error:?}");
    let kept = Store::open(&copy, StoreOptions { gate: ONE }).unwrap();
    assert_ne!(kept.integrity().unwrap(), Vec::<String>::new());
}

pub fn the_file_is_private(engine: &Engine) {
    use std::os::unix::fs::PermissionsExt;
    engine.submit();
    for name in ["orch.db", "orch.db-wal", "orch.db-shm"] {
        let mode = std::fs::metadata(engine.dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

pub fn a_healthy_database_has_no_complaints(engine: &Engine) {
    engine.submit();
    engine.submit();
    engine.fail(&engine.claimed());
    assert_eq!(engine.store.integrity().unwrap(), Vec::<String>::new());
    engine.force("UPDATE jobs SET task_id = 77 WHERE id = 2");
    let found = engine.store.integrity().unwrap();
    assert!(found.iter().any(|line| line.contains("jobs") && line.contains("refers")), "{found:?}");
}

pub fn a_newer_database_is_refused(engine: &Engine) {
    engine.raw("INSERT INTO schema_migrations (version, name) VALUES (77, 'later')").unwrap();
    let error = engine.again(ONE).unwrap_err();
    assert!(matches!(error, StoreError::TooNew { database: 77, .. }), "{error:?}");
}

pub fn a_file_that_is_no_database_is_refused(engine: &Engine) {
    let path = engine.dir.path().join("notes.txt");
    std::fs::write(&path, "these are notes, and long enough to be a header of something").unwrap();
    let error = Store::open(&path, StoreOptions { gate: ONE }).unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error:?}");
    let folder = Store::open(engine.dir.path(), StoreOptions { gate: ONE }).unwrap_err();
    assert!(matches!(folder, StoreError::Io { .. }), "{folder:?}");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(kept.starts_with("these are notes"));
}
