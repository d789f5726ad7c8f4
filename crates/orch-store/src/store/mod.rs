//! The store as the floors above hold it: cheap to clone, usable from any thread, blocking.
//!
//! Writes go to one thread, which commits them in groups; reads go to a pool. A write that has
//! returned is on the disk.

mod care;
mod pool;
mod prune;
mod reads;
mod writer;
mod writes;

use std::path::Path;
use std::sync::Arc;

use orch_core::ids::EventId;
use orch_core::serial_gate::GatePolicy;

use crate::engine::Tx;
use crate::engine::migrate::{MIGRATIONS, migrate};
use crate::engine::sqlite::{Place, SqliteTx, open_writer};
use crate::error::Result;
use pool::Pool;
use writer::Writer;

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

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    gate: GatePolicy,
    /// Declared before the writer: readers close first, so that the writer's close is the last
    /// one and tidies the log up. `None` in memory, where reads go through the writer.
    readers: Option<Pool>,
    writer: Writer,
}

impl Store {
    /// Opens the database in a file, makes it where there is none, and brings it up to date.
    ///
    /// A database newer than the program is [`StoreError::TooNew`](crate::StoreError::TooNew) and
    /// left as it is.
    pub fn open(path: &Path, options: StoreOptions) -> Result<Self> {
        Self::at(&Place::File(path.to_owned()), options)
    }

    /// Opens a database in memory, for tests: gone with the last clone.
    pub fn open_in_memory(options: StoreOptions) -> Result<Self> {
        Self::at(&Place::Memory, options)
    }

    fn at(place: &Place, options: StoreOptions) -> Result<Self> {
        let connection = open_writer(place)?;
        let file = match place {
            Place::File(path) => Some(path.as_path()),
            Place::Memory => None,
        };
        migrate(&connection, file, MIGRATIONS)?;
        let readers = file.map(|path| Pool::new(path.to_owned()));
        let writer = Writer::start(connection)?;
        Ok(Self { inner: Arc::new(Inner { gate: options.gate, readers, writer }) })
    }

    /// The serial gate's policy, as given when the store was opened.
    pub fn gate_policy(&self) -> GatePolicy {
        self.inner.gate
    }

    /// Calls `subscriber` after every commit that recorded events, with the number of the last
    /// one. It is called on the writer's thread: it must be quick and must not use the store.
    pub fn subscribe(&self, subscriber: Subscriber) {
        self.inner.writer.subscribe(subscriber);
    }

    /// What the writer has done since the store was opened.
    pub fn writer_stats(&self) -> WriterStats {
        self.inner.writer.stats()
    }

    /// Runs an operation on the writer's thread; returns when it is committed.
    fn write<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        self.inner.writer.run(operation)
    }

    /// Runs an operation that only reads, in a transaction of its own.
    fn read<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        match &self.inner.readers {
            Some(pool) => pool.with(|connection| operation(&mut SqliteTx::new(connection))),
            None => self.inner.writer.run(operation),
        }
    }
}

/// The number of the last event of a group; `None` where it recorded none.
type LastEvent = Option<EventId>;
