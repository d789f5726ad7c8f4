//! What the load was answered, noted the moment it was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The notes of all threads.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Keys of the tasks whose submission was answered.
    pub tasks: Mutex<BTreeSet<String>>,
    /// Jobs that are owned at this moment, with the epoch of their claim.
    pub owned: Mutex<BTreeMap<i64, u64>>,
    /// The numbers of the events that each follower read, in its order.
    pub read: Mutex<Vec<Vec<i64>>>,
    /// The last event of all, once nobody writes any more; 0 before.
    pub last_event: AtomicI64,
    pub submitted_again: AtomicU64,
    pub claimed: AtomicU64,
    pub ended: AtomicU64,
    pub failed: AtomicU64,
    pub double_owned: AtomicU64,
    pub stale_tried: AtomicU64,
    pub stale_accepted: AtomicU64,
    /// Set when the load is to end.
    pub stop: AtomicBool,
}

/// A note can be read whoever panicked beside it.
pub fn lock<T>(notes: &Mutex<T>) -> MutexGuard<'_, T> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
