//! The raw limit: the store's own statements through the bare driver.

pub mod postgres;
pub mod sqlite;

use std::sync::atomic::{AtomicU64, Ordering};

use super::template::Env;

/// Repositories that cycles go round: so many that none is met again while a task of it is open,
/// and every cycle does the same as the recorded one.
pub const REPOSITORIES: u64 = 4096;

/// Makes cycles that are unlike any before.
#[derive(Debug, Default)]
pub struct Cycles(AtomicU64);

impl Cycles {
    /// The next cycle's repository.
    pub fn repository(&self) -> String {
        format!("r{}", self.0.fetch_add(1, Ordering::Relaxed) % REPOSITORIES)
    }

    /// The next cycle.
    pub fn next(&self) -> Env {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        Env::new(format!("r{}", number % REPOSITORIES), format!("r-00000000001-{number:016x}"))
    }
}
