//! Alerts on their way out: at least once, a failed one later again.

use jiff::Timestamp;

use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::outbox::{OutboxItem, decode, outbox_columns};
use crate::rows::sound;

/// Alerts that are due, oldest first.
pub(crate) fn pending(tx: &mut dyn Tx, now: Timestamp, limit: u32) -> Result<Vec<OutboxItem>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            outbox_columns!(),
            " FROM outbox o WHERE o.delivered_at IS NULL AND o.next_try_at <= $1 \
             ORDER BY o.next_try_at, o.id LIMIT $2"
        ),
        params![now, limit],
    )?;
    Ok(sound(rows, decode))
}

/// Notes a delivery. Noting it twice changes nothing.
pub(crate) fn delivered(tx: &mut dyn Tx, now: Timestamp, id: i64) -> Result<()> {
    let known = tx.execute(
        "UPDATE outbox SET delivered_at = coalesce(delivered_at, $2), last_error = NULL \
         WHERE id = $1",
        params![id, now],
    )?;
    found(id, known)
}

/// Notes a failed delivery and when it is to be tried again.
pub(crate) fn failed(tx: &mut dyn Tx, id: i64, next_try: Timestamp, error: &str) -> Result<()> {
    let known = tx.execute(
        "UPDATE outbox SET attempts = attempts + 1, next_try_at = $2, last_error = $3 \
         WHERE id = $1",
        params![id, next_try, error],
    )?;
    found(id, known)
}

fn found(id: i64, changed: u64) -> Result<()> {
    if changed == 0 { Err(StoreError::not_found("alert", &id)) } else { Ok(()) }
}
