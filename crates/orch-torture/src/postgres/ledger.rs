//! What the load was answered, noted the moment it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The notes of all threads.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Keys of the tasks whose submission was answered.
    pub tasks: Mutex<BTreeSet<String>>,
    /// Jobs that are owned at this moment, with the epoch of their claim.
    pub owned: Mutex<BTreeMap<i64, u64>>,
    /// What each follower read: how many events, how many of them out of order or twice.
    pub read: Mutex<Vec<(u64, u64)>>,
    pub submitted_again: AtomicU64,
    pub claimed: AtomicU64,
    pub ended: AtomicU64,
    pub failed: AtomicU64,
    pub double_owned: AtomicU64,
    pub stale_tried: AtomicU64,
    pub stale_accepted: AtomicU64,
    /// Set when the load is to end.
    pub stop: AtomicBool,
    /// Threads that still write: followers read on until there are none.
    pub workers: AtomicU64,
}

/// A note can be read whoever panicked beside it.
pub fn lock<T>(notes: &Mutex<T>) -> MutexGuard<'_, T> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
