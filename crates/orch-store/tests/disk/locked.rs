//! Somebody else holds the database's lock for longer than anybody waits.

use crate::words::{at, claim, file, fresh, open, said, submit};

#[test]
fn a_lock_that_is_held_for_too_long() {
    let dir = tempfile::tempdir().unwrap();
    let store = fresh(dir.path());
    let key = submit(&store).unwrap();
    let holder = rusqlite::Connection::open(file(dir.path())).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();

    // All at once, so that they wait at the same time.
    let errors: Vec<_> = std::thread::scope(|scope| {
        let waiting =
            [scope.spawn(|| submit(&store).map(drop)), scope.spawn(|| claim(&store).map(drop))];
        // Nobody who reads waits, nor the sweep that finds nothing to clean.
        assert_eq!(store.task(&key).unwrap().key, key);
        assert_eq!(store.sanitize(at(3)).unwrap(), 0);
        waiting.map(|thread| thread.join().unwrap().unwrap_err()).into()
    });
    for error in errors {
        assert!(error.is_transient(), "{error:?}");
        let words = said(&error);
        assert!(words.contains("another process holds its lock"), "{words}");
    }
    holder.execute_batch("COMMIT").unwrap();
    submit(&store).unwrap();
    assert!(claim(&store).unwrap().is_some());
    assert_eq!(store.sanitize(at(4)).unwrap(), 0);
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    assert_eq!(store.snapshot().unwrap().tasks.len(), 2, "what was refused was not done");
}

#[test]
fn an_opening_while_somebody_has_it_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    let holder = rusqlite::Connection::open(file(dir.path())).unwrap();
    holder.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE").unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    drop(holder);
    submit(&open(dir.path()).unwrap()).unwrap();
}
