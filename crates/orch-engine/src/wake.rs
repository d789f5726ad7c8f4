//! How loops sleep: until they are woken, their time comes, or the service stops.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Wakes sleeping loops; a wake before the sleep is not lost.
#[derive(Debug, Default)]
pub struct Wake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    stopping: bool,
}

impl Wake {
    /// Something changed: every sleeper looks again.
    pub fn notify(&self) {
        self.lock().generation += 1;
        self.changed.notify_all();
    }

    /// The service stops: every sleeper returns, now and from now on.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Whether the service stops.
    pub fn stopping(&self) -> bool {
        self.lock().stopping
    }

    /// What to hand to [`Wake::sleep`], read before looking for work.
    pub fn generation(&self) -> u64 {
        self.lock().generation
    }

    /// Sleeps until somebody notified after `seen` was read, the service stops, or time is up.
    pub fn sleep(&self, seen: u64, limit: Duration) {
        let awake = |state: &mut State| state.generation == seen && !state.stopping;
        drop(self.changed.wait_timeout_while(self.lock(), limit, awake));
    }

    /// Sleeps until the service stops or time is up; true where it stops.
    pub fn sleep_through(&self, limit: Duration) -> bool {
        drop(self.changed.wait_timeout_while(self.lock(), limit, |state| !state.stopping));
        self.stopping()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
