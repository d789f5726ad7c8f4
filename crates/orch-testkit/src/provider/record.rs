//! What was asked, by key.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Requests of one key that are kept; more are counted.
const MAX_KEPT: usize = 500;

/// A request.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The path below the base URL.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body; null where that is not JSON.
    pub body: Value,
}

#[derive(Debug, Default)]
struct Key {
    count: usize,
    /// Requests to generate, after which a flaky scenario is over.
    generated: usize,
    kept: Vec<Recorded>,
}

/// The record of all requests.
#[derive(Debug)]
pub(super) struct Record {
    keys: Mutex<BTreeMap<String, Key>>,
    last: Mutex<Instant>,
}

impl Record {
    pub(super) fn new() -> Self {
        Self { keys: Mutex::default(), last: Mutex::new(Instant::now()) }
    }

    /// Keeps a request; gives how many of its key asked for an answer of the model before it.
    pub(super) fn add(&self, key: &str, request: Recorded, generates: bool) -> usize {
        *self.last.lock().unwrap() = Instant::now();
        let mut keys = self.keys.lock().unwrap();
        let key = keys.entry(key.to_owned()).or_default();
        let before = key.generated;
        key.count += 1;
        key.generated += usize::from(generates);
        if key.kept.len() < MAX_KEPT {
            key.kept.push(request);
        }
        before
    }

    pub(super) fn count(&self, key: &str) -> usize {
        self.keys.lock().unwrap().get(key).map_or(0, |key| key.generated)
    }

    pub(super) fn kept(&self, key: &str) -> Vec<Recorded> {
        self.keys.lock().unwrap().get(key).map(|key| key.kept.clone()).unwrap_or_default()
    }

    pub(super) fn idle(&self) -> Duration {
        self.last.lock().unwrap().elapsed()
    }

    /// Counts and requests of a key, for those who ask over HTTP.
    pub(super) fn report(&self, key: &str) -> Value {
        let requests: Vec<Value> = self
            .kept(key)
            .into_iter()
            .map(|kept| json!({"path": kept.path, "headers": kept.headers, "body": kept.body}))
            .collect();
        json!({"key": key, "generated": self.count(key), "requests": requests})
    }
}
