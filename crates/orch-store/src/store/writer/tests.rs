//! The writer by itself, on a table of its own.

use std::sync::mpsc::channel;

use super::*;
use crate::engine::Value;

fn writer() -> Arc<Writer> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TABLE t (a INTEGER PRIMARY KEY CHECK (a > 0))").unwrap();
    Arc::new(Writer::start(connection).unwrap())
}

fn insert(tx: &mut dyn Tx, a: i64) -> Result<()> {
    tx.execute("INSERT INTO t (a) VALUES ($1)", &[Value::from(a)]).map(drop)
}

fn rows(writer: &Writer) -> Vec<Vec<Value>> {
    writer.run(|tx| tx.query("SELECT a FROM t ORDER BY a", &[])).unwrap()
}

#[test]
fn an_operation_that_panics_leaves_nothing_and_the_writer_lives() {
    let writer = writer();
    let panicked: Result<()> = writer.run(|tx| {
        insert(tx, 1)?;
        panic!("on purpose");
    });
    let error = panicked.unwrap_err();
    assert!(matches!(&error, StoreError::Internal(what) if what.contains("on purpose")), "{error}");
    assert_eq!(rows(&writer), Vec::<Vec<Value>>::new());
    writer.run(|tx| insert(tx, 2)).unwrap();
    assert_eq!(rows(&writer), [[Value::Int(2)]]);
}

#[test]
fn whatever_waits_is_committed_together_and_fails_apart() {
    let writer = writer();
    let (entered, inside) = channel();
    let (release, gate) = channel::<()>();
    let held = Arc::clone(&writer);
    let holder = std::thread::spawn(move || {
        held.run(move |_| {
            entered.send(()).unwrap();
            gate.recv().unwrap();
            Ok(())
        })
    });
    inside.recv().unwrap();
    // The writer is busy with the first: these queue up behind it, one of them bad.
    let waiting: Vec<_> = [5, -1, 6, 7]
        .into_iter()
        .map(|a| {
            let (reply, answer) = sync_channel(1);
            let operation = Some(move |tx: &mut dyn Tx| insert(tx, a));
            let pending = Pending { operation, result: None, reply };
            writer.queue.as_ref().unwrap().send(Box::new(pending)).unwrap();
            answer
        })
        .collect();
    release.send(()).unwrap();
    holder.join().unwrap().unwrap();
    let kept: Vec<bool> = waiting.iter().map(|answer| answer.recv().unwrap().is_ok()).collect();
    assert_eq!(kept, [true, false, true, true]);
    let stats = writer.stats();
    assert_eq!((stats.commits, stats.operations, stats.largest_group), (2, 5, 4));
    assert_eq!(rows(&writer), [[Value::Int(5)], [Value::Int(6)], [Value::Int(7)]]);
}

#[test]
fn a_failed_commit_is_everybodys_error() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; CREATE TABLE p (id INTEGER PRIMARY KEY); \
             CREATE TABLE c (p INTEGER REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)",
        )
        .unwrap();
    let writer = Writer::start(connection).unwrap();
    let error = writer.run(|tx| tx.execute("INSERT INTO c VALUES (1)", &[])).unwrap_err();
    assert!(matches!(error, StoreError::Constraint { .. }), "{error:?}");
    assert_eq!(writer.stats().failed_commits, 1);
    let left = writer.run(|tx| tx.query("SELECT * FROM c", &[])).unwrap();
    assert!(left.is_empty());
}

#[test]
fn subscribers_hear_of_commits_with_events_only_and_may_panic() {
    let writer = writer();
    let (heard, ear) = channel();
    let heard = Mutex::new(heard);
    writer.subscribe(Box::new(|_| panic!("a careless subscriber")));
    writer.subscribe(Box::new(move |id| heard.lock().unwrap().send(id).unwrap()));
    writer.run(|tx| insert(tx, 1)).unwrap();
    let undone: Result<()> = writer.run(|tx| {
        tx.wrote_event(EventId(6));
        Err(StoreError::Closed)
    });
    assert!(undone.is_err());
    writer
        .run(|tx| {
            tx.wrote_event(EventId(7));
            Ok(())
        })
        .unwrap();
    assert_eq!(ear.recv().unwrap(), EventId(7));
    assert!(ear.try_recv().is_err());
}
