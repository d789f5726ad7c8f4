//! The seam between the operations and a database engine: statements are written once, in SQL
//! that every engine understands, and run through [`Tx`].
//!
//! Invariant: an operation sees one transaction and nothing of the engine beside it.

pub(crate) mod migrate;
pub(crate) mod postgres;
pub(crate) mod recorded;
#[cfg(test)]
pub(crate) mod samples;
pub(crate) mod sqlite;

use jiff::Timestamp;
use orch_core::ids::{
    AgentName, DeployId, EventId, JobId, KeyPrefix, RepoId, RepoName, Revision, RunId, StageName,
    TaskId, TaskKey, TreeId, WorkerId,
};

use crate::error::Result;

/// One transaction, as an operation sees it.
pub(crate) trait Tx {
    /// Runs a statement that returns no rows; returns how many rows it changed. Parameters are
    /// `$1`, `$2`, … in any order.
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64>;

    /// Runs a statement and returns its rows.
    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>>;

    /// Where the engine's SQL differs.
    fn dialect(&self) -> &'static Dialect;

    /// Notes that an event was written, so that subscribers are called after the commit.
    fn wrote_event(&mut self, id: EventId);

    /// The moment by the one clock that every worker's leases go by: the database's own where it
    /// has one, else the given one.
    fn lease_clock(&mut self, given: Timestamp) -> Result<Timestamp>;

    /// Runs a part whose failure the operation survives: what the part wrote is undone.
    fn attempt(&mut self, part: &mut dyn FnMut(&mut dyn Tx) -> Result<()>) -> Result<()>;
}

/// The few places where engines differ within an operation. Each is empty where an engine lets one
/// transaction write at a time.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// Ends the claim's search, so that claimers pass each other by.
    pub claim_lock: &'static str,
    /// Ends a query whose rows the transaction goes on to change by what it read.
    pub row_lock: &'static str,
    /// Taken by claims where a limit counts over all workers: they count one after the other.
    pub claim_in_turn: &'static str,
}

/// A row: its values in the order of the statement's columns.
pub(crate) type Row = Vec<Value>;

/// A value in a statement or a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A number, or a moment in Unix milliseconds.
    Int(i64),
    /// Text: names, ids, JSON.
    Text(String),
    /// Something that no operation writes; only a hand edit puts it there.
    Foreign(&'static str),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Timestamp> for Value {
    fn from(value: Timestamp) -> Self {
        Self::Int(value.as_millisecond())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! text_values {
    ($($id:ty),*) => {
        $(impl From<&$id> for Value {
            fn from(value: &$id) -> Self {
                Self::Text(value.to_string())
            }
        })*
    };
}

macro_rules! row_values {
    ($($id:ty),*) => {
        $(impl From<$id> for Value {
            fn from(value: $id) -> Self {
                Self::Int(value.0)
            }
        })*
    };
}

text_values!(AgentName, KeyPrefix, RepoName, Revision, RunId, StageName, TaskKey, TreeId, WorkerId);
row_values!(DeployId, EventId, JobId, RepoId, TaskId);

/// The parameters of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::engine::Value::from($value)),*]
    };
}
pub(crate) use params;
