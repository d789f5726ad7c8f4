//! Breakers: channels that are paused for a shared cause, whose jobs wait for them, and the probe
//! that is let through.

mod causes;
mod close;
mod trip;

use jiff::Timestamp;
use orch_core::breaker::{Paused, Signature};
use orch_core::ids::{JobId, RunId, TaskKey};

pub(crate) use causes::causes;
pub(crate) use close::{close, probe_passed};
pub(crate) use trip::{trip, trip_all};

use crate::engine::{Row, Tx, params};
use crate::error::Result;
use crate::rows::{Reader, sound};

/// Waiting tasks that are listed per channel.
const WAITING: i64 = 100;

/// A paused channel with those who wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedChannel {
    /// What is paused, and why.
    pub paused: Paused,
    /// The tasks whose jobs wait for it, in the order of their numbers; at most 100.
    pub waiting: Vec<TaskKey>,
}

/// Leaves out jobs `j` of tasks `t` that go through a paused channel.
pub(crate) const NOT_PAUSED: &str = " AND NOT EXISTS (\
    SELECT 1 FROM breaker_scope s JOIN breakers b ON b.channel = s.channel \
    WHERE b.closed_at IS NULL AND s.repo_id = t.repo_id AND s.stage = j.stage AND s.agent = j.agent)";

/// Keeps only jobs `j` of tasks `t` that go through the channel `$3`.
pub(crate) const IN_SCOPE_OF_3: &str = " AND EXISTS (\
    SELECT 1 FROM breaker_scope s \
    WHERE s.channel = $3 AND s.repo_id = t.repo_id AND s.stage = j.stage AND s.agent = j.agent)";

/// Whether any channel is paused: hardly ever, so that claims pay for one look at an empty index.
pub(crate) fn any_open(tx: &mut dyn Tx) -> Result<bool> {
    Ok(!tx.query("SELECT 1 FROM breakers WHERE closed_at IS NULL LIMIT 1", &[])?.is_empty())
}

/// Paused channels whose time for a probe has come and that have none out.
pub(crate) fn due(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<String>> {
    let rows = tx.query(
        "SELECT b.channel FROM breakers b WHERE b.closed_at IS NULL AND b.probe_at <= $1 \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.run_id = b.probe_run AND j.status = 'running') \
         ORDER BY b.probe_at, b.channel",
        params![now],
    )?;
    rows.into_iter().map(|row| Reader::new("breakers", row).text("channel")).collect()
}

/// Notes which run is the probe; false where another one is.
pub(crate) fn let_through(
    tx: &mut dyn Tx,
    now: Timestamp,
    channel: &str,
    run: &RunId,
) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE breakers SET probe_run = $3, probes = probes + 1, probe_at = $2 + probe_every \
         WHERE channel = $1 AND closed_at IS NULL AND probe_at <= $2",
        params![channel, now, run],
    )?;
    Ok(changed > 0)
}

/// No job is let through before that moment; one that is out already goes on.
pub(crate) fn put_off_probe(tx: &mut dyn Tx, channel: &str, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE breakers SET probe_at = $2 \
         WHERE channel = $1 AND closed_at IS NULL AND probe_at < $2",
        params![channel, until],
    )?;
    Ok(())
}

/// The channel of a job is probed at once, with whichever job is first in line.
pub(crate) fn probe_now(tx: &mut dyn Tx, now: Timestamp, job: JobId) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE breakers SET probe_at = $2 WHERE closed_at IS NULL AND probe_at > $2 \
         AND channel IN (SELECT s.channel FROM breaker_scope s \
         JOIN tasks t ON t.repo_id = s.repo_id JOIN jobs j ON j.task_id = t.id \
         WHERE j.id = $1 AND j.stage = s.stage AND j.agent = s.agent)",
        params![job, now],
    )?;
    Ok(changed > 0)
}

const PAUSED: &str = "SELECT b.channel, b.fault, b.said, b.opened_at, b.probe_at, b.probes, \
     (SELECT t.key FROM jobs j JOIN tasks t ON t.id = j.task_id \
      WHERE j.run_id = b.probe_run AND j.status = 'running') \
     FROM breakers b";

fn decode(row: Row) -> Result<Paused> {
    let mut row = Reader::new("breakers", row);
    let signature = Signature { channel: row.parsed("channel")?, fault: row.text("fault")? };
    Ok(Paused {
        signature,
        said: row.text("said")?,
        since: row.time("opened_at")?,
        probe_at: row.time("probe_at")?,
        probes: row.number("probes")?,
        probing: row.opt_parsed("key")?,
    })
}

/// The pause of the channel that a run went through; `None` where it is not paused.
pub(crate) fn of_run(tx: &mut dyn Tx, run: &RunId) -> Result<Option<Paused>> {
    let sql = format!(
        "{PAUSED} JOIN runs r ON r.channel = b.channel WHERE r.run_id = $1 AND b.closed_at IS NULL"
    );
    tx.query(&sql, params![run])?.into_iter().next().map(decode).transpose()
}

/// Every paused channel, longest first.
pub(crate) fn paused(tx: &mut dyn Tx) -> Result<Vec<PausedChannel>> {
    let rows = tx.query(
        &format!("{PAUSED} WHERE b.closed_at IS NULL ORDER BY b.opened_at, b.channel"),
        &[],
    )?;
    let channels = sound(rows, decode).into_iter();
    channels.map(|paused| Ok(PausedChannel { waiting: waiting(tx, &paused)?, paused })).collect()
}

fn waiting(tx: &mut dyn Tx, paused: &Paused) -> Result<Vec<TaskKey>> {
    let rows = tx.query(
        "SELECT t.key FROM breaker_scope s JOIN tasks t ON t.repo_id = s.repo_id \
         JOIN jobs j ON j.task_id = t.id AND j.stage = s.stage AND j.agent = s.agent \
         WHERE s.channel = $1 AND t.status = 'open' AND j.status = 'queued' \
         ORDER BY t.id LIMIT $2",
        params![paused.signature.channel.to_string(), WAITING],
    )?;
    Ok(sound(rows, |row| Reader::new("tasks", row).parsed("key")))
}
