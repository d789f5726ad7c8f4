//! A fault is looked at after it was recorded: a shared one pauses its channel.

use jiff::Timestamp;
use orch_core::breaker::{Channel, Met, Rule, Signature};
use orch_core::decide::Alert;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{RunId, TaskId, TaskKey};
use orch_core::outcome::Outcome;
use serde_json::json;

use super::super::apply::alert;
use super::super::events;
use crate::engine::{Row, Tx, params};
use crate::error::Result;
use crate::rows::{Reader, sound};

/// Meetings with one fault that are looked at: more than any rule counts.
const LOOKED_AT: i64 = 200;

/// Pauses the channel of a run that met a shared fault; true where it was not paused before. Of a
/// channel that is paused already it learns who else goes through.
pub(crate) fn trip(tx: &mut dyn Tx, now: Timestamp, rule: &Rule, run: &RunId) -> Result<bool> {
    let rows = tx.query(
        "SELECT r.run_id, r.channel, r.fault FROM runs r WHERE r.run_id = $1 AND r.fault IS NOT NULL",
        params![run],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(false) };
    let mut row = Reader::new("runs", row);
    row.text("run_id")?;
    let signature = Signature { channel: row.parsed("channel")?, fault: row.text("fault")? };
    channel(tx, now, rule, &signature)
}

/// The same for every fault within the window: what a crash after its record left undone.
pub(crate) fn trip_all(tx: &mut dyn Tx, now: Timestamp, rule: &Rule) -> Result<u64> {
    let rows = tx.query(
        "SELECT DISTINCT r.channel, r.fault FROM runs r \
         WHERE r.fault IS NOT NULL AND r.finished_at > $1",
        params![rule.counts_after(None, now)],
    )?;
    let signatures = sound(rows, |row| {
        let mut row = Reader::new("runs", row);
        Ok(Signature { channel: row.parsed("channel")?, fault: row.text("fault")? })
    });
    let mut tripped = 0;
    for signature in signatures {
        tripped += u64::from(channel(tx, now, rule, &signature)?);
    }
    Ok(tripped)
}

/// One run's meeting with the fault.
struct Meeting {
    met: Met,
    key: TaskKey,
    repo_id: i64,
    stage: String,
    agent: String,
    said: String,
}

fn meeting(row: Row) -> Result<Meeting> {
    let mut row = Reader::new("runs", row);
    row.text("run_id")?;
    let met = Met { task: TaskId(row.int("task_id")?), at: row.time("finished_at")? };
    Ok(Meeting {
        met,
        key: row.parsed("key")?,
        repo_id: row.int("repo_id")?,
        stage: row.text("stage")?,
        agent: row.text("agent")?,
        said: row.json::<Outcome>("outcome")?.reason().unwrap_or("no reason was given").to_owned(),
    })
}

fn channel(tx: &mut dyn Tx, now: Timestamp, rule: &Rule, of: &Signature) -> Result<bool> {
    let name = of.channel.to_string();
    let rows = tx.query(
        "SELECT b.channel, b.closed_at FROM breakers b WHERE b.channel = $1",
        params![&name],
    )?;
    let known = rows.into_iter().next().map(|row| {
        let mut row = Reader::new("breakers", row);
        row.text("channel")?;
        row.opt_time("closed_at")
    });
    let closed = known.transpose()?;
    let open = matches!(closed, Some(None));
    let rows = tx.query(
        "SELECT r.run_id, r.task_id, r.finished_at, t.key, t.repo_id, r.stage, r.agent, \
         r.outcome FROM runs r JOIN tasks t ON t.id = r.task_id \
         WHERE r.channel = $1 AND r.fault = $2 AND r.finished_at > $3 \
         ORDER BY r.finished_at DESC LIMIT $4",
        params![&name, &of.fault, rule.counts_after(closed.flatten(), now), LOOKED_AT],
    )?;
    let meetings = sound(rows, meeting);
    let met: Vec<Met> = meetings.iter().map(|meeting| meeting.met).collect();
    let Some(last) = meetings.first() else { return Ok(false) };
    let opened = !open && rule.trips(&met) && pause(tx, now, rule, of, &last.said)?;
    if open || opened {
        for meeting in &meetings {
            tx.execute(
                "INSERT INTO breaker_scope (channel, repo_id, stage, agent) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (channel, repo_id, stage, agent) DO NOTHING",
                params![&name, meeting.repo_id, &meeting.stage, &meeting.agent],
            )?;
        }
    }
    if opened {
        tell(tx, now, rule, of, &meetings)?;
    }
    Ok(opened)
}

/// False where somebody else paused it meanwhile.
fn pause(tx: &mut dyn Tx, now: Timestamp, rule: &Rule, of: &Signature, said: &str) -> Result<bool> {
    let every = u64::try_from(rule.probe_every.as_millis()).unwrap_or(u64::MAX).max(1);
    let probe_at = now.checked_add(rule.probe_every).unwrap_or(Timestamp::MAX);
    let changed = tx.execute(
        "INSERT INTO breakers (channel, fault, said, opened_at, probe_every, probe_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (channel) DO UPDATE SET \
         fault = excluded.fault, said = excluded.said, opened_at = excluded.opened_at, \
         probe_every = excluded.probe_every, probe_at = excluded.probe_at, probe_run = NULL, \
         probes = 0, closed_at = NULL WHERE breakers.closed_at IS NOT NULL",
        params![of.channel.to_string(), &of.fault, said, now, every, probe_at],
    )?;
    Ok(changed > 0)
}

fn tell(
    tx: &mut dyn Tx,
    now: Timestamp,
    rule: &Rule,
    of: &Signature,
    meetings: &[Meeting],
) -> Result<()> {
    let mut keys: Vec<&TaskKey> = meetings.iter().map(|meeting| &meeting.key).collect();
    keys.sort();
    keys.dedup();
    let keys: Vec<String> = keys.iter().take(8).map(ToString::to_string).collect();
    let said = meetings.first().map_or("", |last| last.said.as_str());
    let (what, cause) = (of.channel.words(), of.cause());
    let message = format!(
        "{what} is paused for all tasks: {said} (met by {}); it is probed every {} s, cause {cause}",
        keys.join(", "),
        rule.probe_every.as_secs().max(1)
    );
    event(tx, now, of, EventKind::BreakerOpened, &message)?;
    alert(tx, now, &Alert { dedup_key: format!("cause:{cause}"), message })
}

/// Records an event about a channel; about a repository where it is that one's own.
pub(super) fn event(
    tx: &mut dyn Tx,
    now: Timestamp,
    of: &Signature,
    kind: EventKind,
    message: &str,
) -> Result<()> {
    let repo = match &of.channel {
        Channel::Runner { repo, .. } | Channel::Agent { repo, .. } => Some(repo.clone()),
        Channel::Ssh(_) | Channel::Provider(_) => None,
    };
    let event = NewEvent {
        kind,
        task: None,
        repo,
        run_id: None,
        message: message.to_owned(),
        data: json!({ "channel": of.channel.to_string(), "fault": of.fault, "cause": of.cause() }),
    };
    events::append(tx, now, &event).map(drop)
}
