//! Records that belong to no task go after their time: events, delivered alerts, and workers that
//! were not heard of. In steps of a few rows each, as tasks do.

use jiff::Timestamp;

use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::count;

/// What may go, `$1` being the moment: the table, what its rows are known by, and which of them.
const DUE: [(&str, &str, &str); 3] = [
    ("events", "id", "x.task IS NULL AND x.at < $1 ORDER BY x.at, x.id"),
    ("outbox", "id", "x.delivered_at < $1 ORDER BY x.delivered_at, x.id"),
    (
        "workers",
        "id",
        "x.last_seen < $1 AND NOT EXISTS (SELECT 1 FROM jobs j \
         WHERE j.status = 'running' AND j.worker_id = x.id) ORDER BY x.id",
    ),
];

/// How many records may go.
pub(crate) fn count_due(tx: &mut dyn Tx, before: Timestamp) -> Result<u64> {
    let mut all = 0;
    for (table, id, due) in DUE {
        let sql = format!("SELECT count(*) FROM (SELECT x.{id} FROM {table} x WHERE {due}) due");
        all += count(&tx.query(&sql, params![before])?);
    }
    Ok(all)
}

/// Deletes records from before the moment, at most `max_rows`; returns how many went.
pub(crate) fn prune(tx: &mut dyn Tx, before: Timestamp, max_rows: u32) -> Result<u64> {
    // The schema lets no event of no task go from this side of the mark.
    let mark = "UPDATE retention SET events_before = $1 WHERE events_before <> $1";
    tx.execute(mark, params![before])?;
    let mut gone = 0;
    for (table, id, due) in DUE {
        let left = u64::from(max_rows).saturating_sub(gone);
        if left > 0 {
            let sql = format!(
                "DELETE FROM {table} WHERE {id} IN (SELECT x.{id} FROM {table} x WHERE {due} LIMIT $2)"
            );
            gone += tx.execute(&sql, params![before, left])?;
        }
    }
    Ok(gone)
}
