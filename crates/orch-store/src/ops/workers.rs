//! Workers and their beats.

use jiff::Timestamp;

use super::apply::json;
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::sound;
use crate::rows::worker::{Worker, WorkerRow, decode, worker_columns};

/// Notes that a worker lives, and what it says of itself.
pub(crate) fn beat(tx: &mut dyn Tx, now: Timestamp, worker: &WorkerRow) -> Result<()> {
    tx.execute(
        "INSERT INTO workers (id, host, pid, version, capacity, labels, first_seen, last_seen) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) \
         ON CONFLICT (id) DO UPDATE SET host = excluded.host, pid = excluded.pid, \
         version = excluded.version, capacity = excluded.capacity, labels = excluded.labels, \
         last_seen = excluded.last_seen",
        params![
            &worker.id,
            &worker.host,
            worker.pid,
            &worker.version,
            worker.capacity,
            json("labels", &worker.labels)?,
            now,
        ],
    )?;
    Ok(())
}

/// Every worker that was ever heard of, by id.
pub(crate) fn workers(tx: &mut dyn Tx) -> Result<Vec<Worker>> {
    let sql = concat!("SELECT ", worker_columns!(), " FROM workers w ORDER BY w.id");
    Ok(sound(tx.query(sql, &[])?, decode))
}
