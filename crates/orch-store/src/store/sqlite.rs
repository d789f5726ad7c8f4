//! The store on SQLite: one thread writes and commits in groups, a pool reads.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::pool::{Lent, Pool, Pooled};
use super::writer::{Subscriber, Writer, WriterStats};
use crate::engine::Tx;
use crate::engine::migrate::{Applied, MIGRATIONS};
use crate::engine::sqlite::migrate::{applied, migrate, refuse_newer};
use crate::engine::sqlite::{Place, SqliteTx, care, failed, open_reader, open_writer};
use crate::error::{Result, StoreError};

/// Connections that read at once. More would only share the same two or four cores.
const READERS: usize = 4;
/// How long a read waits for one of them.
const PATIENCE: Duration = Duration::from_secs(30);

impl Pooled for Connection {
    /// A read that panicked left its transaction open.
    fn is_idle(&self) -> bool {
        self.is_autocommit()
    }
}

/// A SQLite database.
#[derive(Debug)]
pub(super) struct Sqlite {
    /// Declared before the writer: readers close first, so that the writer's close is the last
    /// one and tidies the log up. `None` in memory, where reads go through the writer.
    readers: Option<Pool<Connection>>,
    writer: Writer,
}

impl Sqlite {
    /// Opens the database, makes it where there is none, and brings it up to date.
    pub(super) fn open(place: &Place) -> Result<Self> {
        let file: Option<PathBuf> = match place {
            Place::File(path) => Some(path.clone()),
            Place::Memory => None,
        };
        let connection =
            open_writer(place, |found| refuse_newer(found, file.as_deref(), MIGRATIONS))?;
        migrate(&connection, file.as_deref(), MIGRATIONS)?;
        let readers = file.map(|path| Pool::new(READERS, move || open_reader(&path)));
        let writer = Writer::start(connection)?;
        Ok(Self { readers, writer })
    }

    pub(super) fn subscribe(&self, subscriber: Subscriber) {
        self.writer.subscribe(subscriber);
    }

    pub(super) fn stats(&self) -> WriterStats {
        self.writer.stats()
    }

    /// Runs an operation on the writer's thread; returns when it is committed.
    pub(super) fn write<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        self.writer.run(operation)
    }

    /// Runs an operation that only reads, in a transaction of its own, so that its statements see
    /// one moment.
    pub(super) fn read<T, F>(&self, operation: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T> + Send + 'static,
    {
        let Some(pool) = &self.readers else { return self.writer.run(operation) };
        let connection = pool.lend(PATIENCE)?;
        connection.execute_batch("BEGIN").map_err(failed("beginning a read"))?;
        let result = operation(&mut SqliteTx::new(&connection));
        let ended = connection.execute_batch("COMMIT").map_err(failed("ending a read"));
        result.and_then(|value| ended.map(|()| value))
    }

    /// What the engine itself finds wrong.
    pub(super) fn complaints(&self) -> Result<Vec<String>> {
        care::complaints(&*self.reader("check")?)
    }

    /// Copies the database into a new file while it is in use.
    pub(super) fn backup(&self, to: &Path) -> Result<()> {
        care::backup(&*self.reader("backup")?, to)
    }

    /// The steps that the database has taken.
    pub(super) fn applied(&self) -> Result<Vec<Applied>> {
        applied(&*self.reader("version")?)
    }

    fn reader(&self, what: &'static str) -> Result<Lent<'_, Connection>> {
        let pool = self.readers.as_ref().ok_or_else(|| StoreError::Invalid {
            what,
            reason: "the database is in memory".to_owned(),
        })?;
        pool.lend(PATIENCE)
    }
}
