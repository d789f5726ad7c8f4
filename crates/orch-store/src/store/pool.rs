//! The pool of readers: each sees the last commit, none holds the writer up.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use crate::engine::sqlite::{failed, open_reader};
use crate::error::Result;

/// Connections that read at once. More would only share the same two or four cores.
const READERS: usize = 4;

/// Connections that can only read, opened as they are needed.
#[derive(Debug)]
pub(super) struct Pool {
    path: PathBuf,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Connection>,
    open: usize,
}

impl Pool {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::default(), returned: Condvar::new() }
    }

    /// Lends a connection within a transaction, so that several statements see one moment.
    pub(super) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let lent = self.lend()?;
        let connection = lent.connection();
        connection.execute_batch("BEGIN").map_err(failed("beginning a read"))?;
        let result = read(connection);
        let ended = connection.execute_batch("COMMIT").map_err(failed("ending a read"));
        result.and_then(|value| ended.map(|()| value))
    }

    /// Lends a connection outside any transaction.
    pub(super) fn with_bare<T>(&self, use_it: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        use_it(self.lend()?.connection())
    }

    fn lend(&self) -> Result<Lent<'_>> {
        let mut state = self.lock();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(Lent { pool: self, connection: Some(connection) });
            }
            if state.open < READERS {
                state.open += 1;
                drop(state);
                let mut lent = Lent { pool: self, connection: None };
                lent.connection = Some(open_reader(&self.path)?);
                return Ok(lent);
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The state is whole between any two statements that change it, so a panic elsewhere does
    /// not spoil it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that goes back by itself, also after a panic.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl Lent<'_> {
    fn connection(&self) -> &Connection {
        self.connection.as_ref().expect("`lend` returns it only with a connection")
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        match self.connection.take() {
            // A read that panicked left its transaction open; such a connection is not lent again.
            Some(connection) if connection.is_autocommit() => state.idle.push(connection),
            Some(_) | None => state.open -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
