//! A paused channel works again: whatever waited for it goes on.

use jiff::Timestamp;
use orch_core::breaker::{Channel, Held, Paused};
use orch_core::decide::Alert;
use orch_core::event::EventKind;
use orch_core::ids::RunId;

use super::super::apply::alert;
use super::trip::event;
use super::{PAUSED, causes, decode};
use crate::engine::{Tx, params};
use crate::error::Result;

/// The run that was let through came to its own end: its channel works.
pub(crate) fn probe_passed(tx: &mut dyn Tx, now: Timestamp, run: &RunId) -> Result<()> {
    let sql = format!("{PAUSED} WHERE b.probe_run = $1 AND b.closed_at IS NULL");
    for row in tx.query(&sql, params![run])? {
        let paused = decode(row)?;
        open_up(tx, now, &paused, "a probe went through")?;
    }
    Ok(())
}

/// Ends a channel's pause, because somebody or something says that it works; false where it is not
/// paused.
pub(crate) fn close(tx: &mut dyn Tx, now: Timestamp, channel: &Channel, how: &str) -> Result<bool> {
    let sql = format!("{PAUSED} WHERE b.channel = $1 AND b.closed_at IS NULL");
    let row = tx.query(&sql, params![channel.to_string()])?.into_iter().next();
    let Some(paused) = row.map(decode).transpose()? else { return Ok(false) };
    open_up(tx, now, &paused, how)?;
    Ok(true)
}

fn open_up(tx: &mut dyn Tx, now: Timestamp, paused: &Paused, how: &str) -> Result<()> {
    let name = paused.signature.channel.to_string();
    let changed = tx.execute(
        "UPDATE breakers SET closed_at = $2, probe_run = NULL \
         WHERE channel = $1 AND closed_at IS NULL",
        params![&name, now],
    )?;
    if changed == 0 {
        return Ok(());
    }
    // Who was deferred for this fault need not wait any longer.
    tx.execute(
        "UPDATE jobs SET available_at = $2 WHERE status = 'queued' AND available_at > $2 \
         AND id IN (SELECT r.job_id FROM runs r WHERE r.channel = $1 AND r.fault IS NOT NULL)",
        params![&name, now],
    )?;
    tx.execute("DELETE FROM breaker_scope WHERE channel = $1", params![&name])?;
    let held = causes(tx)?.into_iter().find(|cause| cause.signature == paused.signature);
    let message = message(paused, how, &held.map(|cause| cause.held).unwrap_or_default());
    event(tx, now, &paused.signature, EventKind::BreakerClosed, &message)?;
    let cause = paused.signature.cause();
    alert(tx, now, &Alert { dedup_key: format!("over:{cause}"), message })
}

fn message(paused: &Paused, how: &str, held: &[Held]) -> String {
    let what = paused.signature.channel.words();
    let works = format!("{what} works again: {how}");
    if held.is_empty() {
        return works;
    }
    let keys: Vec<String> = held.iter().take(8).map(|held| held.key.to_string()).collect();
    let (keys, cause) = (keys.join(", "), paused.signature.cause());
    format!(
        "{works}; held by that fault: {keys} (`orch task retry --cause {cause}` sets all going)"
    )
}
