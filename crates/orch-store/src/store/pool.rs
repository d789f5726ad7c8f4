//! A pool of connections, opened as they are needed.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Result, StoreError};

/// What a pool keeps.
pub(super) trait Pooled: Sized {
    /// False where it was left in the middle of something, or is cut off: it is not lent again.
    fn is_idle(&self) -> bool;
}

/// Lends connections, and takes them back by itself.
pub(super) struct Pool<C> {
    open: Box<dyn Fn() -> Result<C> + Send + Sync>,
    limit: usize,
    state: Mutex<State<C>>,
    returned: Condvar,
}

struct State<C> {
    idle: Vec<C>,
    open: usize,
}

impl<C> fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl<C: Pooled> Pool<C> {
    pub(super) fn new(limit: usize, open: impl Fn() -> Result<C> + Send + Sync + 'static) -> Self {
        let state = Mutex::new(State { idle: Vec::new(), open: 0 });
        Self { open: Box::new(open), limit, state, returned: Condvar::new() }
    }

    /// Lends a connection, waiting at most so long for one to be returned.
    pub(super) fn lend(&self, patience: Duration) -> Result<Lent<'_, C>> {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(connection) = state.idle.pop() {
                return Ok(Lent { pool: self, connection: Some(connection) });
            }
            if state.open < self.limit {
                state.open += 1;
                drop(state);
                let mut lent = Lent { pool: self, connection: None };
                lent.connection = Some((self.open)()?);
                return Ok(lent);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let busy = format!("all {} connections are busy", self.limit);
                let source = Arc::new(std::io::Error::other(busy));
                return Err(StoreError::Engine { doing: "waiting", transient: true, source });
            }
            let waited = self.returned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Gives up what is idle: the server behind it has gone.
    pub(super) fn forget_idle(&self) {
        let mut state = self.lock();
        state.open -= state.idle.len();
        let forgotten = std::mem::take(&mut state.idle);
        drop(state);
        drop(forgotten);
    }

    /// The state is whole between any two statements that change it, so a panic elsewhere does
    /// not spoil it.
    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that goes back by itself, also after a panic.
pub(super) struct Lent<'a, C: Pooled> {
    pool: &'a Pool<C>,
    /// `None` only while it is opened or dropped.
    connection: Option<C>,
}

impl<C: Pooled> Deref for Lent<'_, C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.connection.as_ref().expect("`lend` returns it only with a connection")
    }
}

impl<C: Pooled> DerefMut for Lent<'_, C> {
    fn deref_mut(&mut self) -> &mut C {
        self.connection.as_mut().expect("`lend` returns it only with a connection")
    }
}

impl<C: Pooled> Drop for Lent<'_, C> {
    fn drop(&mut self) {
        let connection = self.connection.take().filter(Pooled::is_idle);
        let mut state = self.pool.lock();
        match connection {
            Some(connection) => state.idle.push(connection),
            None => state.open -= 1,
        }
        drop(state);
        self.pool.returned.notify_one();
    }
}
