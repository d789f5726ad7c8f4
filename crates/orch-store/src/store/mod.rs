//! The store as the floors above hold it: cheap to clone, usable from any thread, blocking.
//!
//! A write that has returned is on the disk. On SQLite one thread writes, in groups; on PostgreSQL
//! each write is a transaction of its own, and the server groups them.

mod care;
mod deploys;
mod pool;
mod postgres;
mod prune;
mod reads;
mod settled;
mod sqlite;
mod tail;
mod writer;
mod writes;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::SignedDuration;
use orch_core::ids::EventId;
use orch_core::serial_gate::GatePolicy;

use self::postgres::Postgres;
use self::sqlite::Sqlite;
use crate::engine::Tx;
use crate::engine::recorded::Recording;
use crate::engine::sqlite::Place;
use crate::error::{Result, StoreError};

pub use writer::{Subscriber, WriterStats};

/// What the store has to know that the database does not say.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// The serial gate's switch and width.
    pub gate: GatePolicy,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { gate: GatePolicy { enabled: true, width: 1 } }
    }
}

/// The kinds of database there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// SQLite: a file on this machine.
    Sqlite,
    /// PostgreSQL: a server that several machines share.
    Postgres,
}

impl DatabaseKind {
    /// Its name, as settings and `GET /status` say it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Where a database is, as its URL says.
enum Address<'a> {
    /// In a file.
    Sqlite(&'a Path),
    /// On a server.
    Postgres(&'a str),
}

impl<'a> Address<'a> {
    fn parse(url: &'a str) -> Result<Self> {
        match url.split_once(':') {
            Some(("sqlite", path)) => {
                Ok(Self::Sqlite(Path::new(path.strip_prefix("//").unwrap_or(path))))
            }
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url)),
            _ => Err(StoreError::Invalid {
                what: "the database's URL",
                reason: "it is neither sqlite:PATH nor postgres://USER@HOST/NAME".to_owned(),
            }),
        }
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    gate: GatePolicy,
    backend: Backend,
    /// Empty but where somebody asked for it.
    recording: OnceLock<Recording>,
}

#[derive(Debug)]
enum Backend {
    Sqlite(Sqlite),
    Postgres(Box<Postgres>),
}

impl Store {
    /// Opens the database in a file, makes it where there is none, and brings it up to date.
    ///
    /// A database newer than the program is [`StoreError::TooNew`](crate::StoreError::TooNew) and
    /// left as it is.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self> {
        let sqlite = Sqlite::open(&Place::File(path.to_owned()))?;
        Ok(Self::with(Backend::Sqlite(sqlite), options))
    }

    /// Opens a database in memory, for tests: gone with the last clone.
    pub fn open_in_memory(options: StoreOptions) -> Result<Self> {
        Ok(Self::with(Backend::Sqlite(Sqlite::open(&Place::Memory)?), options))
    }

    /// Opens the database that a URL names: `sqlite:PATH`, or `postgres://…` in any form that
    /// libpq takes. The tables are made where there are none and brought up to date.
    pub fn open_url(url: &str, options: StoreOptions) -> Result<Self> {
        match Address::parse(url)? {
            Address::Sqlite(path) => Self::open(path, options),
            Address::Postgres(url) => {
                Ok(Self::with(Backend::Postgres(Box::new(Postgres::open(url)?)), options))
            }
        }
    }

    fn with(backend: Backend, options: StoreOptions) -> Self {
        let inner = Inner { gate: options.gate, backend, recording: OnceLock::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Which kind of database it is.
    pub fn kind(&self) -> DatabaseKind {
        match &self.inner.backend {
            Backend::Sqlite(_) => DatabaseKind::Sqlite,
            Backend::Postgres(_) => DatabaseKind::Postgres,
        }
    }

    /// How far the database's clock is ahead of this machine's: leases and whatever else nodes
    /// compare go by the one clock that they share. Nothing on SQLite, which is this machine's.
    pub fn clock_offset(&self) -> SignedDuration {
        match &self.inner.backend {
            Backend::Sqlite(_) => SignedDuration::ZERO,
            Backend::Postgres(postgres) => postgres.clock_offset(),
        }
    }

    /// The serial gate's policy, as given when the store was opened.
    pub fn gate_policy(&self) -> GatePolicy {
        self.inner.gate
    }

    /// Calls `subscriber` after commits that recorded events, whichever node's they were, with the
    /// number of the last event that can be read; several commits may share a call. It is called
    /// on a thread of the store: it must be quick and must not use the store.
    pub fn subscribe(&self, subscriber: Subscriber) {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.subscribe(subscriber),
            Backend::Postgres(postgres) => postgres.subscribe(subscriber),
        }
    }

    /// Writes down, from now on, the statements of every operation that writes. It costs memory for
    /// each of them: it is for benchmarks.
    pub fn record(&self) -> Recording {
        self.inner.recording.get_or_init(Recording::default).clone()
    }

    /// What this store has written since it was opened.
    pub fn writer_stats(&self) -> WriterStats {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.stats(),
            Backend::Postgres(postgres) => postgres.stats(),
        }
    }

    /// The number up to which every event is there, or never will be: whoever reads on from a
    /// number passes none by.
    fn settled_events(&self) -> Result<EventId> {
        match &self.inner.backend {
            // One transaction writes at a time: events come in the order of their numbers.
            Backend::Sqlite(_) => Ok(EventId(i64::MAX)),
            Backend::Postgres(postgres) => postgres.settled_events(),
        }
    }

    /// Runs an operation in a transaction; returns when it is committed. It may be run more than
    /// once, where another transaction was in its way; only one run counts.
    fn write<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let Some(recording) = self.inner.recording.get().cloned() else {
            return self.transact(operation);
        };
        self.transact(move |tx| recording.of(tx, &operation))
    }

    fn transact<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.write(operation),
            Backend::Postgres(postgres) => postgres.write(operation),
        }
    }

    /// Runs an operation that only reads, in a transaction of its own: its statements see one
    /// moment.
    fn read<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.read(operation),
            Backend::Postgres(postgres) => postgres.read(operation),
        }
    }
}
