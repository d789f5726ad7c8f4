//! How long a worker may sleep.

use jiff::Timestamp;

use super::channels;
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::Reader;

/// The earliest moment after now at which a job becomes due that could be claimed then; `None`
/// where only an event can bring work. So is the moment at which a shut channel opens. What is due already has been claimed, or waits for a limit.
pub(crate) fn next_wakeup(tx: &mut dyn Tx, now: Timestamp) -> Result<Option<Timestamp>> {
    let rows = tx.query(
        "SELECT min(j.available_at) FROM tasks t CROSS JOIN jobs j \
         WHERE t.gate_slot IS NOT NULL AND t.parked_on IS NULL AND t.paused_at IS NULL \
         AND j.task_id = t.id AND j.finished_at IS NULL AND j.status = 'queued' \
         AND j.available_at > $1",
        params![now],
    )?;
    let due = match rows.into_iter().next() {
        Some(row) => Reader::new("jobs", row).opt_time("available_at")?,
        None => None,
    };
    let opens = channels::next_opening(tx)?;
    Ok([due, opens].into_iter().flatten().min())
}
