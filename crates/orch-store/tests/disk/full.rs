//! A disk without room: the system itself refuses the write, with ENOSPC on a small file system
//! and with EFBIG at the limit for files of a process.

use std::path::Path;

use orch_store::{Store, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::words::{at, child, claim, forge, fresh, open, place, said, submit, with_a_file_system};

/// More submissions than the room there is can take.
const MANY: usize = 10_000;

#[test]
fn a_file_system_without_room() {
    let dir = tempfile::tempdir().unwrap();
    with_a_file_system("size=3m", "full::in_a_small_file_system", dir.path());
}

#[test]
#[ignore = "a child of the test above"]
fn in_a_small_file_system() {
    let Some(dir) = place() else { return };
    let store = fresh(&dir);
    let ballast = dir.join("ballast");
    std::fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    survives(&dir, &store, |_| {}, || std::fs::remove_file(&ballast).unwrap());
}

#[test]
fn a_limit_for_files() {
    let dir = tempfile::tempdir().unwrap();
    // The signal would end the process before the write could fail.
    let wrapper = ["sh", "-c", "trap '' XFSZ; exec \"$0\" \"$@\""];
    let out = child(&wrapper, "full::at_the_limit_for_files", dir.path());
    let acked: usize =
        out.lines().find_map(|line| line.split_once("acked ")).unwrap().1.parse().unwrap();
    let store = open(dir.path()).unwrap();
    assert_eq!(store.snapshot().unwrap().tasks.len(), acked);
}

#[test]
#[ignore = "a child of the test above"]
fn at_the_limit_for_files() {
    let Some(dir) = place() else { return };
    let store = fresh(&dir);
    let old = getrlimit(Resource::Fsize);
    let log = dir.join("orch.db-wal");
    let limit = |room| {
        let used = if room == 0 { 0 } else { std::fs::metadata(&log).unwrap().len() };
        let current = Some(used + room);
        setrlimit(Resource::Fsize, Rlimit { current, ..old }).unwrap();
    };
    let acked = survives(&dir, &store, limit, || setrlimit(Resource::Fsize, old).unwrap());
    println!("\nacked {acked}");
}

/// Fills the disk and empties it again; returns how many tasks were acknowledged. `limit` leaves
/// that much room, where it can.
fn survives(dir: &Path, store: &Store, limit: impl Fn(u64), end: impl Fn()) -> usize {
    let mut acked = vec![submit(store).unwrap()];
    forge(dir);
    limit(1 << 18);
    let error = loop {
        match submit(store) {
            Ok(key) => acked.push(key),
            Err(error) => break error,
        }
        assert!(acked.len() < MANY, "the disk is never full");
    };
    refused(&error);
    // It stays so, for whoever asks; reading goes on. What is small may still fit into a file that
    // was made longer before.
    limit(0);
    refused(&submit(store).unwrap_err());
    let sanitized = store.sanitize(at(3));
    if let Err(error) = &sanitized {
        refused(error);
    }
    assert_eq!(store.snapshot().unwrap().tasks.len(), acked.len());
    let copy = dir.join("copy.db");
    refused(&store.backup(&copy).unwrap_err());
    assert!(!copy.exists(), "half a backup is worse than none");

    end();
    acked.push(submit(store).unwrap());
    assert_eq!(sanitized.unwrap_or(0) + store.sanitize(at(4)).unwrap(), 1);
    assert!(claim(store).unwrap().is_some());
    for store in [store, &open(dir).unwrap()] {
        let tasks = store.snapshot().unwrap().tasks;
        assert_eq!(tasks.into_iter().map(|task| task.key).collect::<Vec<_>>(), acked);
        assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    }
    acked.len()
}

fn refused(error: &StoreError) {
    assert!(matches!(error, StoreError::Engine { transient: false, .. }), "{error:?}");
    let said = said(error);
    let room = said.contains("make room on the disk") && said.contains("is full");
    let limit = said.contains("file-size limit") && said.contains("disk I/O error");
    assert!(room || limit, "{said}");
}
