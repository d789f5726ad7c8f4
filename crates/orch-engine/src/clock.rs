//! Time and randomness, handed in: the engine never asks the system itself.

use std::sync::Mutex;

use jiff::Timestamp;
use orch_core::ids::RunId;
use orch_store::Store;

/// Where the moment and the random bits come from.
pub trait Clock: Send + Sync {
    /// The present moment, to the millisecond, as the store keeps it.
    fn now(&self) -> Timestamp;
    /// 64 random bits.
    fn random(&self) -> u64;

    /// A new run's id.
    fn run_id(&self) -> RunId {
        RunId::from_parts(self.now().as_millisecond(), self.random())
    }
}

/// The system's clock, set by the database's where several machines share one, and a generator
/// seeded by it.
#[derive(Debug)]
pub struct SystemClock {
    rng: Mutex<fastrand::Rng>,
    store: Store,
}

impl SystemClock {
    /// Goes by the clock that everybody who uses this database goes by.
    pub fn shared_by(store: Store) -> Self {
        Self { rng: Mutex::default(), store }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now() + self.store.clock_offset();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    fn random(&self) -> u64 {
        self.rng.lock().unwrap_or_else(std::sync::PoisonError::into_inner).u64(..)
    }
}
