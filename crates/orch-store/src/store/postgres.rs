//! The store on PostgreSQL: a pool of connections, a transaction per write, tried again where
//! another transaction or the network was in its way.
//!
//! Invariant: an operation that is answered with a value is committed, once. Where the server goes
//! away during a commit, it is asked afterwards what became of that transaction.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use orch_core::ids::EventId;

use super::pool::{Lent, Pool, Pooled};
use super::settled::Settled;
use super::tail::Tail;
use super::writer::{Subscriber, WriterStats, panicked};
use crate::engine::Tx;
use crate::engine::migrate::{Applied, MIGRATIONS};
use crate::engine::postgres::{Connection, PgTx, Server, backup, care, failed, migrate};
use crate::error::{Result, StoreError};

/// Connections of one store at most: as many as a small server has to spare for one node.
const CONNECTIONS: usize = 16;
/// How long an operation is tried again before its caller is told.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long it is asked what became of a commit without an answer.
const RESOLVE: Duration = Duration::from_secs(30);
/// How long a reader waits for the transactions under way before it reads without what they may
/// write.
const SETTLING: Duration = Duration::from_millis(250);
/// Tries of an operation that finds a unique value taken: more is no race, but how things are.
const CONFLICTS: u32 = 3;
/// The first wait between tries; it doubles up to [`LONGEST_WAIT`], and half of it is random.
const FIRST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

impl Pooled for Connection {
    fn is_idle(&self) -> bool {
        Self::is_idle(self)
    }
}

/// A PostgreSQL database.
#[derive(Debug)]
pub(super) struct Postgres {
    server: Server,
    pool: Arc<Pool<Connection>>,
    tail: Tail,
    /// How far the server's clock is ahead, in milliseconds, as the last transaction found it.
    clock_offset: AtomicI64,
    commits: AtomicU64,
    failed_commits: AtomicU64,
}

/// What a try came to.
enum Tried<T> {
    /// To an answer.
    Answered(Result<T>),
    /// To a part that failed and that the operation can survive with a savepoint.
    NeedsCare,
    /// To a value that must be unique and is taken.
    Conflict(StoreError),
    /// To something that passes.
    Again(StoreError),
}

impl Postgres {
    /// Connects and brings the database up to date.
    pub(super) fn open(url: &str) -> Result<Self> {
        let server = Server::parse(url)?;
        migrate::migrate(&mut server.connect_checked()?, MIGRATIONS)?;
        let opener = server.clone();
        let pool = Arc::new(Pool::new(CONNECTIONS, move || opener.connect()));
        let settled = Arc::new(Settled::default());
        let mut connection = pool.lend(PATIENCE)?;
        settled.raise(&mut connection, PATIENCE)?;
        drop(connection);
        let tail = Tail::start(server.clone(), settled)?;
        let (commits, failed_commits) = (AtomicU64::new(0), AtomicU64::new(0));
        let clock_offset = AtomicI64::new(0);
        let postgres = Self { server, pool, tail, clock_offset, commits, failed_commits };
        // A first transaction, so that the clocks are compared before anything goes by them.
        postgres.write(|_| Ok(()))?;
        Ok(postgres)
    }

    /// The number up to which events may be read. What this node has written can be read at once,
    /// but for a moment's wait where others are at work.
    pub(super) fn settled_events(&self) -> Result<EventId> {
        let settled = self.tail.settled();
        if self.tail.written() <= Some(settled.get()) {
            return Ok(settled.get());
        }
        Self::tried(|_| match self.lend() {
            Err(tried) => tried,
            Ok(mut connection) => match settled.raise(&mut connection, SETTLING) {
                Ok((mark, _)) => Tried::Answered(Ok(mark)),
                Err(error) => self.unless_it_passes(error),
            },
        })
    }

    pub(super) fn clock_offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.clock_offset.load(Ordering::Relaxed))
    }

    pub(super) fn subscribe(&self, subscriber: Subscriber) {
        self.tail.subscribe(subscriber);
    }

    pub(super) fn stats(&self) -> WriterStats {
        let commits = self.commits.load(Ordering::Relaxed);
        let failed_commits = self.failed_commits.load(Ordering::Relaxed);
        WriterStats { commits, operations: commits, largest_group: commits.min(1), failed_commits }
    }

    /// Runs an operation in a transaction; returns when it is committed.
    pub(super) fn write<T>(&self, operation: impl Fn(&mut dyn Tx) -> Result<T>) -> Result<T> {
        Self::tried(|careful| self.try_write(&operation, careful))
    }

    /// Runs an operation that only reads.
    pub(super) fn read<T>(&self, operation: impl Fn(&mut dyn Tx) -> Result<T>) -> Result<T> {
        Self::tried(|_| self.try_read(&operation))
    }

    /// Tries until there is an answer, or patience runs out.
    fn tried<T>(once: impl Fn(bool) -> Tried<T>) -> Result<T> {
        let deadline = Instant::now() + PATIENCE;
        let (mut careful, mut conflicts, mut wait) = (false, 0, FIRST_WAIT);
        loop {
            let error = match once(careful) {
                Tried::Answered(answer) => return answer,
                Tried::NeedsCare => {
                    careful = true;
                    continue;
                }
                Tried::Conflict(error) => {
                    conflicts += 1;
                    if conflicts >= CONFLICTS {
                        return Err(error);
                    }
                    error
                }
                Tried::Again(error) => error,
            };
            if Instant::now() + wait >= deadline {
                return Err(error);
            }
            std::thread::sleep(wait.mul_f64(0.5 + fastrand::f64() / 2.0));
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn try_write<T>(
        &self,
        operation: &impl Fn(&mut dyn Tx) -> Result<T>,
        careful: bool,
    ) -> Tried<T> {
        let mut connection = match self.lend() {
            Ok(connection) => connection,
            Err(tried) => return tried,
        };
        let (number, clock) = match connection.begin() {
            Ok(begun) => begun,
            Err(error) => return self.unless_it_passes(failed("beginning")(error)),
        };
        let ahead = clock.as_millisecond() - Timestamp::now().as_millisecond();
        self.clock_offset.store(ahead, Ordering::Relaxed);
        let mut tx = PgTx::new(&mut connection, Some(clock)).careful(careful);
        let result = catch_unwind(AssertUnwindSafe(|| operation(&mut tx)))
            .unwrap_or_else(|panic| Err(StoreError::Internal(panicked(panic.as_ref()))));
        let (trouble, last_event) = (tx.trouble, tx.last_event);
        let value = match result {
            // What failed without a savepoint has spoiled the transaction, whatever came after.
            _ if trouble.needs_care => {
                connection.roll_back();
                return Tried::NeedsCare;
            }
            Ok(value) => value,
            Err(error) => {
                connection.roll_back();
                return match trouble {
                    _ if trouble.again => self.again(error),
                    _ if trouble.conflict => Tried::Conflict(error),
                    _ => Tried::Answered(Err(error)),
                };
            }
        };
        if let Err(error) = connection.commit() {
            drop(connection);
            self.failed_commits.fetch_add(1, Ordering::Relaxed);
            match self.became_of(&number) {
                Ok(true) => {}
                Ok(false) => return self.again(failed("committing")(error)),
                Err(unknown) => return Tried::Answered(Err(unknown)),
            }
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        if let Some(event) = last_event {
            self.tail.wrote(event);
        }
        Tried::Answered(Ok(value))
    }

    fn try_read<T>(&self, operation: &impl Fn(&mut dyn Tx) -> Result<T>) -> Tried<T> {
        let mut connection = match self.lend() {
            Ok(connection) => connection,
            Err(tried) => return tried,
        };
        if let Err(error) = connection.begin_read() {
            return self.unless_it_passes(error);
        }
        let mut tx = PgTx::new(&mut connection, None);
        let result = operation(&mut tx);
        let again = tx.trouble.again;
        connection.roll_back();
        match result {
            Err(error) if again => self.again(error),
            result => Tried::Answered(result),
        }
    }

    fn lend<T>(&self) -> Result<Lent<'_, Connection>, Tried<T>> {
        self.pool.lend(PATIENCE).map_err(|error| self.unless_it_passes(error))
    }

    fn unless_it_passes<T>(&self, error: StoreError) -> Tried<T> {
        if error.is_transient() { self.again(error) } else { Tried::Answered(Err(error)) }
    }

    /// Connections to a server that went away are all gone; the next try makes a new one.
    fn again<T>(&self, error: StoreError) -> Tried<T> {
        if let StoreError::Engine { source, .. } = &error
            && source.downcast_ref::<postgres::Error>().is_some_and(|error| error.code().is_none())
        {
            self.pool.forget_idle();
        }
        Tried::Again(error)
    }

    /// Whether a transaction was committed whose commit was not answered well. A server that is
    /// told to stop may commit and then say only that it stops.
    fn became_of(&self, number: &str) -> Result<bool> {
        self.pool.forget_idle();
        let deadline = Instant::now() + RESOLVE;
        loop {
            match self.status_of(number).as_deref() {
                Some("committed") => return Ok(true),
                Some("aborted") => return Ok(false),
                // Its connection still counts as open there, or nobody answers.
                _ if Instant::now() < deadline => std::thread::sleep(LONGEST_WAIT / 4),
                _ => {
                    let said =
                        "the server went away during a commit; whether it holds is not known";
                    let source = Arc::new(std::io::Error::other(said));
                    return Err(StoreError::Engine {
                        doing: "committing",
                        transient: false,
                        source,
                    });
                }
            }
        }
    }

    /// What the server says of a transaction; `None` where it does not answer.
    fn status_of(&self, number: &str) -> Option<String> {
        let mut connection = self.pool.lend(PATIENCE).ok()?;
        let sql = "SELECT pg_xact_status(CAST(CAST($1 AS TEXT) AS xid8))";
        let row = connection.client().query_one(sql, &[&number]).ok()?;
        row.try_get(0).ok()
    }

    /// What the engine itself finds wrong.
    pub(super) fn complaints(&self) -> Result<Vec<String>> {
        care::complaints(&mut *self.pool.lend(PATIENCE)?)
    }

    /// Dumps the database into a new file while it is in use.
    pub(super) fn backup(&self, to: &Path) -> Result<()> {
        backup::backup(&self.server, to)
    }

    /// The steps that the database has taken.
    pub(super) fn applied(&self) -> Result<Vec<Applied>> {
        migrate::applied(&mut *self.pool.lend(PATIENCE)?)
    }
}
