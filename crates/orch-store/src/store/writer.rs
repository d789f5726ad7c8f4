//! The one writer: a thread that takes whatever operations wait, runs them in one transaction,
//! each in its own savepoint, commits once, and then answers all of them.
//!
//! Invariant: nobody is answered "done" before the commit that holds the work is on the disk.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use orch_core::ids::EventId;
use rusqlite::Connection;

use crate::engine::Tx;
use crate::engine::sqlite::{SqliteTx, failed};
use crate::error::{Result, StoreError};

/// Operations per commit: enough to share one fsync well, few enough that the first of them does
/// not wait long for the last.
const GROUP: usize = 64;
/// Operations that may wait; whoever comes then waits to be let in.
const WAITING: usize = 1_024;

/// Called after a commit that recorded events, with the number of the last one.
pub type Subscriber = Box<dyn Fn(EventId) + Send + Sync>;

/// What the writer has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterStats {
    /// Transactions committed.
    pub commits: u64,
    /// Operations within them, those that failed by themselves included.
    pub operations: u64,
    /// The most operations in one transaction.
    pub largest_group: u64,
    /// Transactions that could not be begun or committed.
    pub failed_commits: u64,
}

/// Those who are called after commits.
#[derive(Default)]
pub(super) struct Subscribers(Mutex<Vec<Arc<Subscriber>>>);

impl Subscribers {
    pub(super) fn add(&self, subscriber: Subscriber) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(subscriber));
    }

    pub(super) fn call(&self, event: EventId) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for subscriber in all {
            if catch_unwind(AssertUnwindSafe(|| subscriber(event))).is_err() {
                tracing::error!("a subscriber of the store panicked");
            }
        }
    }
}

/// The number of the last event of a group; `None` where it recorded none.
type LastEvent = Option<EventId>;

#[derive(Default)]
struct Shared {
    subscribers: Subscribers,
    commits: AtomicU64,
    operations: AtomicU64,
    largest_group: AtomicU64,
    failed_commits: AtomicU64,
}

/// The handle to the writer's thread; ends it when dropped.
pub(super) struct Writer {
    /// `None` only while it is dropped.
    queue: Option<SyncSender<Box<dyn Operation>>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self> {
        let (queue, waiting) = sync_channel(WAITING);
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || work(&connection, &waiting, &theirs))
            .map_err(|error| StoreError::Internal(format!("cannot start the writer: {error}")))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), shared })
    }

    pub(super) fn run<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let pending = Pending { operation: Some(operation), result: None, reply };
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(Box::new(pending)).map_err(|_| StoreError::Closed)?;
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    pub(super) fn subscribe(&self, subscriber: Subscriber) {
        self.shared.subscribers.add(subscriber);
    }

    pub(super) fn stats(&self) -> WriterStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterStats {
            commits: read(&self.shared.commits),
            operations: read(&self.shared.operations),
            largest_group: read(&self.shared.largest_group),
            failed_commits: read(&self.shared.failed_commits),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        let Some(thread) = self.thread.take() else { return };
        // The last handle may be dropped by a subscriber: a thread can't wait for itself.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the store's writer had panicked");
        }
    }
}

/// An operation on its way through the writer.
trait Operation: Send {
    /// Runs it; true where its work is to be kept.
    fn run(&mut self, tx: &mut SqliteTx<'_>) -> bool;
    /// Answers whoever waits, after the commit or its failure.
    fn answer(self: Box<Self>, committed: Result<()>);
}

struct Pending<T, F> {
    operation: Option<F>,
    result: Option<Result<T>>,
    reply: SyncSender<Result<T>>,
}

impl<T, F> Operation for Pending<T, F>
where
    T: Send,
    F: FnOnce(&mut dyn Tx) -> Result<T> + Send,
{
    fn run(&mut self, tx: &mut SqliteTx<'_>) -> bool {
        let Some(operation) = self.operation.take() else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| operation(tx)))
            .unwrap_or_else(|panic| Err(StoreError::Internal(panicked(panic.as_ref()))));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let result = match self.result {
            // Its own error says more than the group's.
            Some(Err(error)) => Err(error),
            Some(Ok(value)) => committed.map(|()| value),
            None => Err(committed.err().unwrap_or(StoreError::Closed)),
        };
        // Whoever asked may have gone; the work is done all the same.
        drop(self.reply.send(result));
    }
}

/// What a panic said.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".to_owned());
    format!("an operation panicked: {words}")
}

/// The thread: ends when the last handle is gone and nothing waits.
fn work(connection: &Connection, waiting: &Receiver<Box<dyn Operation>>, shared: &Shared) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        let size = group.len() as u64;
        let (committed, last_event) = match commit_group(connection, &mut group) {
            Ok(last_event) => (Ok(()), last_event),
            Err(error) => (Err(error), None),
        };
        let outcome = if committed.is_ok() { &shared.commits } else { &shared.failed_commits };
        outcome.fetch_add(1, Ordering::Relaxed);
        shared.operations.fetch_add(size, Ordering::Relaxed);
        shared.largest_group.fetch_max(size, Ordering::Relaxed);
        for operation in group {
            operation.answer(committed.clone());
        }
        if let Some(event) = last_event {
            shared.subscribers.call(event);
        }
    }
}

/// Runs a group in one transaction; returns the last event it recorded.
fn commit_group(connection: &Connection, group: &mut [Box<dyn Operation>]) -> Result<LastEvent> {
    execute(connection, "BEGIN IMMEDIATE", "beginning a transaction")?;
    let result = run_group(connection, group)
        .and_then(|last| execute(connection, "COMMIT", "committing").map(|()| last));
    if result.is_err() && !connection.is_autocommit() {
        // A rollback fails only where the transaction is gone already.
        drop(execute(connection, "ROLLBACK", "rolling back"));
    }
    result
}

fn run_group(connection: &Connection, group: &mut [Box<dyn Operation>]) -> Result<LastEvent> {
    let mut last_event = None;
    for operation in group {
        execute(connection, "SAVEPOINT operation", "setting a savepoint")?;
        let mut tx = SqliteTx::new(connection);
        let keep = operation.run(&mut tx);
        let written = tx.last_event;
        if connection.is_autocommit() {
            // A full disk or a failing one ends the whole transaction, and with it what the
            // others of the group had done.
            let source = std::io::Error::other("the transaction was rolled back by the database");
            let source: crate::error::Cause = Arc::new(source);
            return Err(StoreError::Engine { doing: "writing", transient: false, source });
        }
        if keep {
            last_event = last_event.max(written);
        } else {
            execute(connection, "ROLLBACK TO operation", "undoing an operation")?;
        }
        execute(connection, "RELEASE operation", "releasing a savepoint")?;
    }
    Ok(last_event)
}

fn execute(connection: &Connection, sql: &str, doing: &'static str) -> Result<()> {
    let mut statement = connection.prepare_cached(sql).map_err(failed(doing))?;
    statement.raw_execute().map(drop).map_err(failed(doing))
}

#[cfg(test)]
mod tests;
