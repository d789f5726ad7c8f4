//! Workers.

use jiff::Timestamp;
use orch_core::ids::WorkerId;

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// What a worker says of itself with every beat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerRow {
    /// Its id, kept across restarts.
    pub id: WorkerId,
    /// The machine it runs on.
    pub host: String,
    /// Its process.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// Runs it takes at once.
    pub capacity: u32,
    /// What it offers; jobs may ask for it.
    pub labels: Vec<String>,
}

/// A worker as it was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worker {
    /// What it said last.
    pub info: WorkerRow,
    /// When it was first heard of.
    pub first_seen: Timestamp,
    /// When it was last heard of.
    pub last_seen: Timestamp,
    /// Runs it has now.
    pub running: u64,
}

/// The columns that [`decode`] reads; `w` is the worker.
macro_rules! worker_columns {
    () => {
        "w.id, w.host, w.pid, w.version, w.capacity, w.labels, w.first_seen, w.last_seen, \
         (SELECT count(*) FROM jobs j WHERE j.worker_id = w.id AND j.status = 'running')"
    };
}
pub(crate) use worker_columns;

pub(crate) fn decode(row: Row) -> Result<Worker> {
    let mut row = Reader::new("workers", row);
    let info = WorkerRow {
        id: row.parsed("id")?,
        host: row.text("host")?,
        pid: row.number("pid")?,
        version: row.text("version")?,
        capacity: row.number("capacity")?,
        labels: row.json("labels")?,
    };
    Ok(Worker {
        info,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
        running: row.number("running")?,
    })
}
