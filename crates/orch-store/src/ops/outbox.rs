//! Alerts on their way out: at least once, a failed one later again.

use jiff::Timestamp;
use orch_core::ids::WorkerId;

use super::apply::json;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::outbox::{OutboxItem, decode, outbox_columns};
use crate::rows::{Reader, sound};

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

/// Claims the oldest alert that is due; `None` where there is none, or somebody else has it. Alerts
/// about a cause are left to gather until the moment `settled`.
pub(crate) fn claim(
    tx: &mut dyn Tx,
    now: Timestamp,
    settled: Timestamp,
    who: &WorkerId,
    until: Timestamp,
) -> Result<Option<OutboxItem>> {
    let claimed = tx.query(
        "UPDATE outbox SET claimed_by = $2, claimed_until = $3 WHERE id = (\
         SELECT o.id FROM outbox o WHERE o.delivered_at IS NULL AND o.next_try_at <= $1 \
         AND (o.claimed_by IS NULL OR o.claimed_until <= $1 OR o.claimed_by = $2) \
         AND (o.created_at <= $4 OR o.dedup_key NOT LIKE 'cause:%') \
         ORDER BY o.next_try_at, o.id LIMIT 1) \
         AND delivered_at IS NULL \
         AND (claimed_by IS NULL OR claimed_until <= $1 OR claimed_by = $2) RETURNING id",
        params![now, who, until, settled],
    )?;
    let Some(row) = claimed.into_iter().next() else { return Ok(None) };
    let id = Reader::new("outbox", row).int("id")?;
    let rows = tx.query(
        concat!("SELECT ", outbox_columns!(), " FROM outbox o WHERE o.id = $1"),
        params![id],
    )?;
    rows.into_iter().next().map(decode).transpose()
}

/// Notes which receivers have an alert.
pub(crate) fn sent_to(tx: &mut dyn Tx, id: i64, receivers: &[String]) -> Result<()> {
    let list = json("receivers", &receivers)?;
    let known = tx.execute("UPDATE outbox SET sent_to = $2 WHERE id = $1", params![id, list])?;
    found(id, known)
}

/// Lets alerts go that nobody could be told for so long that they are news no more.
pub(crate) fn expire(tx: &mut dyn Tx, before: Timestamp) -> Result<u64> {
    tx.execute("DELETE FROM outbox WHERE delivered_at IS NULL AND created_at < $1", params![before])
}

/// What there is to know of the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Alerts that are still to be delivered.
    pub pending: u64,
    /// Alerts that were delivered and not yet pruned.
    pub delivered: u64,
    /// When one was delivered last.
    pub last_delivered_at: Option<Timestamp>,
    /// What the last failed delivery of a pending alert said.
    pub last_error: Option<String>,
}

/// Counts the outbox.
pub(crate) fn counts(tx: &mut dyn Tx) -> Result<OutboxCounts> {
    let rows = tx.query(
        "SELECT count(*), count(delivered_at), max(delivered_at), \
         (SELECT o.last_error FROM outbox o WHERE o.delivered_at IS NULL AND o.last_error IS NOT NULL \
          ORDER BY o.next_try_at DESC, o.id DESC LIMIT 1) FROM outbox",
        &[],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(OutboxCounts::default()) };
    let mut row = Reader::new("outbox", row);
    let all: u64 = row.number("count")?;
    let delivered: u64 = row.number("delivered")?;
    Ok(OutboxCounts {
        pending: all.saturating_sub(delivered),
        delivered,
        last_delivered_at: row.opt_time("delivered_at")?,
        last_error: row.opt_text("last_error")?,
    })
}

/// Notes a delivery. Noting it twice changes nothing.
pub(crate) fn delivered(tx: &mut dyn Tx, now: Timestamp, id: i64) -> Result<()> {
    let known = tx.execute(
        "UPDATE outbox SET delivered_at = coalesce(delivered_at, $2), last_error = NULL, \
         claimed_by = NULL, claimed_until = NULL \
         WHERE id = $1",
        params![id, now],
    )?;
    found(id, known)
}

/// Notes a failed delivery and when it is to be tried again.
pub(crate) fn failed(tx: &mut dyn Tx, id: i64, next_try: Timestamp, error: &str) -> Result<()> {
    let known = tx.execute(
        "UPDATE outbox SET attempts = attempts + 1, next_try_at = $2, last_error = $3, \
         claimed_by = NULL, claimed_until = NULL \
         WHERE id = $1",
        params![id, next_try, error],
    )?;
    found(id, known)
}

fn found(id: i64, changed: u64) -> Result<()> {
    if changed == 0 { Err(StoreError::not_found("alert", &id)) } else { Ok(()) }
}
