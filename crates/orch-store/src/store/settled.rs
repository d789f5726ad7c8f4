//! Up to which number events may be read on PostgreSQL.
//!
//! Transactions commit in another order than they number their events: a reader that goes by
//! numbers could pass one by that is not there yet. So it reads up to a mark, and the mark is raised
//! to an event once every transaction is over that was under way when the event was seen: whoever
//! took a lower number was among them, because a transaction has its own number before it numbers
//! any event.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use orch_core::ids::EventId;

use crate::engine::postgres::{Connection, failed};
use crate::error::Result;

/// From one look at the transactions under way to the next.
const LOOK: Duration = Duration::from_millis(2);

/// The mark.
#[derive(Debug, Default)]
pub(super) struct Settled(AtomicI64);

impl Settled {
    /// Where it is.
    pub(super) fn get(&self) -> EventId {
        EventId(self.0.load(Ordering::Acquire))
    }

    /// Raises it to the last event there is, waiting at most so long for transactions under way;
    /// returns where it is then, and whether it got there. Outside any transaction only.
    pub(super) fn raise(
        &self,
        connection: &mut Connection,
        patience: Duration,
    ) -> Result<(EventId, bool)> {
        let client = connection.client();
        let doing = "looking at the events";
        let row = client
            .query_one("SELECT coalesce(max(id), 0) FROM events", &[])
            .map_err(failed(doing))?;
        let last: i64 = row.get(0);
        if last <= self.get().0 {
            return Ok((self.get(), true));
        }
        // A number of its own: higher than that of any transaction under way.
        let row = client
            .query_one("SELECT CAST(pg_current_xact_id() AS TEXT)", &[])
            .map_err(failed(doing))?;
        let number: String = row.get(0);
        let deadline = Instant::now() + patience;
        loop {
            let sql =
                "SELECT pg_snapshot_xmin(pg_current_snapshot()) > CAST(CAST($1 AS TEXT) AS xid8)";
            let row = client.query_one(sql, &[&number]).map_err(failed(doing))?;
            if row.get(0) {
                self.0.fetch_max(last, Ordering::AcqRel);
                return Ok((self.get(), true));
            }
            if Instant::now() >= deadline {
                return Ok((self.get(), false));
            }
            std::thread::sleep(LOOK);
        }
    }
}
