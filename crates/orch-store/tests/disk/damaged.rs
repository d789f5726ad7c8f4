//! A database that is damaged: bytes that changed, pages that are gone, a file that ends early, a
//! log that was overwritten.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fastrand::Rng;
use orch_core::audit::audit;
use orch_core::ids::EventId;
use orch_store::{EventFilter, Page, StoreError, TaskFilter};

use crate::words::{at, claim, file, fresh, open, said, submit};

/// Damages that are tried, each with a seed of its own.
const DAMAGES: u64 = 250;
const PAGE: usize = 4096;
const TASKS: usize = 12;

/// A database at rest, as bytes.
fn healthy() -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let store = fresh(dir.path());
    for _ in 0..TASKS {
        submit(&store).unwrap();
        claim(&store).unwrap();
    }
    drop(store);
    std::fs::read(file(dir.path())).unwrap()
}

/// One damage of some sort; the first page may be hit as any other.
fn damage(content: &mut Vec<u8>, rng: &mut Rng) {
    let pages = content.len() / PAGE;
    let page = |rng: &mut Rng| rng.usize(..pages) * PAGE;
    match rng.u32(..5) {
        0 => {
            for _ in 0..rng.usize(1..20) {
                let place = rng.usize(..content.len());
                content[place] ^= 1 << rng.u32(..8);
            }
        }
        1 => {
            let begin = page(rng);
            content[begin..begin + PAGE].fill(0);
        }
        2 => {
            let begin = page(rng);
            rng.fill(&mut content[begin..begin + PAGE]);
        }
        3 => {
            let (from, to) = (page(rng), page(rng));
            content.copy_within(from..from + PAGE, to);
        }
        _ => content.truncate(rng.usize(..content.len())),
    }
}

/// Everything that a service does with a database; what it is told.
fn everything(dir: &Path) -> Vec<StoreError> {
    let store = match open(dir) {
        Ok(store) => store,
        Err(error) => return vec![error],
    };
    let mut errors: Vec<StoreError> = Vec::new();
    let mut saw = |result: Result<(), StoreError>| errors.extend(result.err());
    saw(store.sanitize(at(3)).map(drop));
    saw(store.readmit(at(3)).map(drop));
    saw(claim(&store).map(drop));
    saw(submit(&store).map(drop));
    saw(store.running(None).map(drop));
    saw(store.tasks(&TaskFilter::default(), Page { before: None, limit: 100 }).map(drop));
    saw(store.events(EventId(0), &EventFilter::default(), 1_000).map(drop));
    saw(store.queue_snapshot(at(4)).map(drop));
    saw(store.status_counts().map(drop));
    saw(store.tasks_without_a_job().map(drop));
    match store.snapshot() {
        Ok(snapshot) => {
            for task in &snapshot.tasks {
                saw(store.jobs(task.id).map(drop));
                saw(store.runs(task.id).map(drop));
                saw(store.standing(&task.key).map(drop));
            }
            drop(audit(&snapshot.into_state(store.gate_policy())));
        }
        Err(error) => saw(Err(error)),
    }
    match store.integrity() {
        Ok(lines) if lines.is_empty() => {}
        Ok(lines) => saw(Err(StoreError::Internal(format!("noticed: {}", lines.join("; "))))),
        Err(error) => saw(Err(error)),
    }
    // The writer is still there: a fault of one operation is not the end of the store.
    saw(store.sanitize(at(5)).map(drop));
    errors
}

#[test]
fn no_damage_is_a_panic_and_most_is_noticed() {
    let whole = healthy();
    let dir = tempfile::tempdir().unwrap();
    let mut noticed = 0_u64;
    for seed in 0..DAMAGES {
        let mut content = whole.clone();
        damage(&mut content, &mut Rng::with_seed(seed));
        std::fs::write(file(dir.path()), &content).unwrap();
        let errors = catch_unwind(AssertUnwindSafe(|| everything(dir.path())));
        let errors = errors.unwrap_or_else(|_| panic!("damage {seed} is a panic"));
        for error in &errors {
            assert!(!matches!(error, StoreError::Closed), "damage {seed} ended the writer");
            assert!(!said(error).contains("panicked"), "damage {seed}: {}", said(error));
        }
        noticed += u64::from(!errors.is_empty());
        for name in std::fs::read_dir(dir.path()).unwrap() {
            std::fs::remove_file(name.unwrap().path()).unwrap();
        }
    }
    // What hits free space or text that nobody checks can't be noticed.
    assert!(noticed > DAMAGES / 2, "{noticed} of {DAMAGES} damages were noticed");

    std::fs::write(file(dir.path()), &whole).unwrap();
    assert!(everything(dir.path()).is_empty(), "the whole file works again");
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut content = healthy();
    content[..100].fill(0x55);
    std::fs::write(file(dir.path()), &content).unwrap();
    let error = open(dir.path()).unwrap_err();
    let words = said(&error);
    assert!(words.contains("restore a backup") && words.contains("not a database"), "{words}");
    assert_eq!(std::fs::read(file(dir.path())).unwrap(), content, "not a byte is changed");
}

#[test]
fn damaged_pages_are_named_with_their_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let mut content = healthy();
    // All but the first page, which holds the schema.
    Rng::with_seed(1).fill(&mut content[PAGE..]);
    std::fs::write(file(dir.path()), &content).unwrap();
    let error = open(dir.path()).unwrap_err();
    assert!(said(&error).contains("restore a backup"), "{}", said(&error));
}

/// The log holds what was committed since the last checkpoint. Where it is destroyed that is gone,
/// and what is left is a whole database of an earlier moment.
#[test]
fn a_destroyed_log_leaves_a_whole_database() {
    let alive = tempfile::tempdir().unwrap();
    drop(fresh(alive.path()));
    let store = open(alive.path()).unwrap();
    let acked: Vec<_> = (0..TASKS).map(|_| submit(&store).unwrap()).collect();
    let (database, log) = (file(alive.path()), alive.path().join("orch.db-wal"));
    let (database, log) = (std::fs::read(database).unwrap(), std::fs::read(log).unwrap());
    let mut rng = Rng::with_seed(3);
    let mut kept = Vec::new();
    let (half, mut random, mut flipped) = (log.len() / 2, log.clone(), log.clone());
    rng.fill(&mut random);
    flipped[half] ^= 1;
    let logs = [log.clone(), vec![0; log.len()], random, log[..half].to_vec(), flipped];
    for (number, log) in logs.into_iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(file(dir.path()), &database).unwrap();
        std::fs::write(dir.path().join("orch.db-wal"), log).unwrap();
        let store = open(dir.path()).unwrap();
        assert_eq!(store.integrity().unwrap(), Vec::<String>::new(), "{number}");
        let snapshot = store.snapshot().unwrap();
        let keys: Vec<_> = snapshot.tasks.iter().map(|task| task.key.clone()).collect();
        assert_eq!(keys, acked[..keys.len()], "{number}");
        assert_eq!(audit(&snapshot.into_state(store.gate_policy())), [], "{number}");
        kept.push(keys.len());
        submit(&store).unwrap();
        assert!(claim(&store).unwrap().is_some(), "{number}");
    }
    assert_eq!(kept[..3], [TASKS, 0, 0]);
    assert!((1..TASKS).contains(&kept[3]) && (1..TASKS).contains(&kept[4]), "{kept:?}");
}
