//! The reaper's tick over databases that fail it: it logs, never raises, and the next tick does what
//! this one could not.

use crate::bed::{bed, open};

#[test]
fn a_row_is_cleaned_once_and_counted() {
    let bed = bed("true");
    bed.forge();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
    bed.forge();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 2, "on every tick, not at the start only");
}

#[test]
fn the_switch_gates_the_sweep_alone() {
    let bed = bed("false");
    bed.forge();
    assert!(bed.tick(), "the rest of the tick goes on");
    assert_eq!(bed.cleaned(), 0);
    assert!(!bed.engine.store.integrity().unwrap().is_empty(), "the row is as it was");
}

#[test]
fn a_locked_database_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    bed.forge();
    let holder = open(&bed.path());
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 0);
    holder.execute_batch("ROLLBACK").unwrap();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
}

/// What SQLite answers to every write on a disk that has become read-only.
#[test]
fn a_database_that_takes_no_writes_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    bed.forge();
    let hand = open(&bed.path());
    for table in ["jobs", "tasks", "events"] {
        for what in ["INSERT", "UPDATE"] {
            let sql = format!(
                "CREATE TRIGGER no_{what}_{table} BEFORE {what} ON {table} BEGIN \
                 SELECT RAISE(FAIL, 'attempt to write a readonly database'); END"
            );
            hand.execute_batch(&sql).unwrap();
        }
    }
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 0);
    for table in ["jobs", "tasks", "events"] {
        for what in ["INSERT", "UPDATE"] {
            hand.execute_batch(&format!("DROP TRIGGER no_{what}_{table}")).unwrap();
        }
    }
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 1);
}

#[test]
fn a_corrupt_database_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    bed.forge();
    open(&bed.path()).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let mut bytes = std::fs::read(bed.path()).unwrap();
    bytes[4096..].fill(0xa5);
    std::fs::write(bed.path(), bytes).unwrap();
    for _ in 0..3 {
        assert!(bed.tick());
    }
    let complaints = bed.engine.store.integrity();
    assert!(complaints.map_or(true, |lines| !lines.is_empty()), "the damage is there");
}

#[test]
fn a_database_whose_tables_are_gone_fails_a_tick_and_not_the_service() {
    let bed = bed("true");
    open(&bed.path())
        .execute_batch("PRAGMA foreign_keys = OFF; DROP TABLE runs; DROP TABLE jobs")
        .unwrap();
    assert!(bed.tick());
    assert_eq!(bed.cleaned(), 0);
}
