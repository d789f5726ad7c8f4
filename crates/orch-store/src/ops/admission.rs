//! The serial gate of one repository: asks the pure rule who leaves and who enters, and writes
//! it down. Called by every operation after which somebody could enter.
//!
//! The rule is shown only those who could matter, so that 50,000 tasks outside cost nothing: with
//! the gate on, everybody inside and as many of the waiting as there are slots; with the gate
//! off, whoever has to leave and whoever has no slot yet. Where the gate guards only some stages, it
//! is also shown who waits or passes by at the wrong one.

use jiff::Timestamp;
use orch_core::event::EventKind;
use orch_core::ids::{RepoId, RepoName, TaskId, TaskKey};
use orch_core::serial_gate::{GatePolicy, GateTask, PASSAGE, admit as rule};
use serde_json::json;

use super::{events, gate_stages};
use crate::engine::{Tx, Value, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// Lets in whom the rule lets in; returns how many changes that made.
pub(crate) fn admit(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    repo_id: RepoId,
) -> Result<u64> {
    let (repo, frozen) = repo(tx, repo_id)?;
    let stages = if gate.enabled { gate_stages::read(tx)? } else { Vec::new() };
    let mut tasks = if gate.enabled { inside(tx, repo_id)? } else { leaving(tx, repo_id)? };
    if stages.is_empty() {
        // Nobody passes by; who does was let by earlier stages of the setting.
        if gate.enabled {
            tasks.extend(read(tx, ALL_PASSING, params![repo_id, PASSAGE])?);
        }
    } else {
        tasks.extend(passing(tx, repo_id)?);
        tasks.extend(needless(tx, repo_id, &stages)?);
    }
    if !frozen {
        tasks.extend(if gate.enabled {
            read(tx, WAITING, params![repo_id, gate.width.max(1)])?
        } else {
            read(tx, ALL_WAITING, params![repo_id])?
        });
    }
    let plan = rule(&tasks, frozen, gate);
    let first_slot = if gate.enabled || plan.admit.is_empty() { 0 } else { beyond(tx, repo_id)? };
    for task in &plan.release {
        tx.execute("UPDATE tasks SET gate_slot = NULL WHERE id = $1", params![*task])?;
    }
    for (task, slot) in &plan.admit {
        enter(tx, now, &repo, *task, first_slot.saturating_add(*slot))?;
    }
    for (task, slot) in &plan.pass {
        tx.execute("UPDATE tasks SET gate_slot = $2 WHERE id = $1", params![*task, *slot])?;
    }
    Ok((plan.release.len() + plan.admit.len() + plan.pass.len()) as u64)
}

fn repo(tx: &mut dyn Tx, id: RepoId) -> Result<(RepoName, bool)> {
    let rows = tx.query("SELECT id, name, frozen_at FROM repos WHERE id = $1", params![id])?;
    let row = rows.into_iter().next().ok_or_else(|| StoreError::not_found("repository", &id))?;
    let mut row = Reader::new("repos", row);
    row.int("id")?;
    Ok((row.parsed("name")?, row.opt_int("frozen_at")?.is_some()))
}

/// Whether a task steps aside.
macro_rules! aside {
    () => {
        "CASE WHEN t.paused_at IS NOT NULL OR EXISTS (\
             SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held'\
         ) THEN 1 ELSE 0 END"
    };
}

/// Whether a task stands at a stage that the gate does not guard.
macro_rules! outside {
    () => {
        "CASE WHEN EXISTS (SELECT 1 FROM gate_stages) \
         AND t.stage NOT IN (SELECT g.stage FROM gate_stages g) THEN 1 ELSE 0 END"
    };
}

/// Everybody inside.
fn inside(tx: &mut dyn Tx, repo_id: RepoId) -> Result<Vec<GateTask>> {
    read(
        tx,
        concat!(
            "SELECT t.id, t.priority, t.gate_slot, ",
            aside!(),
            ", ",
            outside!(),
            " FROM tasks t WHERE t.repo_id = $1 AND t.gate_slot < $2"
        ),
        params![repo_id, PASSAGE],
    )
}

/// Those inside whose job is held.
fn leaving(tx: &mut dyn Tx, repo_id: RepoId) -> Result<Vec<GateTask>> {
    read(
        tx,
        "SELECT t.id, t.priority, t.gate_slot, 1, 0 FROM jobs j CROSS JOIN tasks t \
         WHERE j.status = 'held' AND t.id = j.task_id AND t.repo_id = $1 \
         AND t.gate_slot IS NOT NULL",
        params![repo_id],
    )
}

/// Those with a passage who have to give it back: they are held, or have come to a guarded stage.
fn passing(tx: &mut dyn Tx, repo_id: RepoId) -> Result<Vec<GateTask>> {
    let mut found = read(tx, PASSING, params![repo_id, PASSAGE])?;
    let held = leaving(tx, repo_id)?.into_iter();
    let known: Vec<TaskId> = found.iter().map(|task| task.id).collect();
    found.extend(
        held.filter(|task| {
            !known.contains(&task.id) && task.slot.is_some_and(|slot| slot >= PASSAGE)
        }),
    );
    Ok(found)
}

const ALL_PASSING: &str = concat!(
    "SELECT t.id, t.priority, t.gate_slot, ",
    aside!(),
    ", 0 FROM tasks t WHERE t.repo_id = $1 AND t.gate_slot >= $2"
);

/// The slot is compared as an expression, so that the stage's index is taken.
pub(super) const PASSING: &str = concat!(
    "SELECT t.id, t.priority, t.gate_slot, ",
    aside!(),
    ", 0 FROM gate_stages g CROSS JOIN tasks t \
     WHERE t.repo_id = $1 AND t.stage = g.stage AND t.gate_slot IS NOT NULL \
     AND t.gate_slot + 0 >= $2"
);

/// Those who wait at a stage that the gate does not guard, between any two that it does.
fn needless(tx: &mut dyn Tx, repo_id: RepoId, guarded: &[String]) -> Result<Vec<GateTask>> {
    let mut found = Vec::new();
    for index in 0..=guarded.len() {
        let after = index.checked_sub(1).and_then(|before| guarded.get(before));
        let before = guarded.get(index);
        let mut sql = NEEDLESS.to_owned();
        let mut values = vec![Value::from(repo_id)];
        for (sign, bound) in [(">", after), ("<", before)] {
            if let Some(bound) = bound {
                values.push(Value::from(bound));
                sql.extend([" AND t.stage ", sign, " $", &values.len().to_string()]);
            }
        }
        found.extend(read(tx, &sql, &values)?);
    }
    Ok(found)
}

pub(super) const NEEDLESS: &str = "SELECT t.id, t.priority, t.gate_slot, 0, 1 FROM tasks t \
     WHERE t.repo_id = $1 AND t.status = 'open' AND t.gate_slot IS NULL \
     AND t.paused_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held')";

/// Everybody outside, whatever their stage: with the gate off all enter.
const ALL_WAITING: &str = "SELECT t.id, t.priority, t.gate_slot, 0, 0 FROM tasks t \
     WHERE t.repo_id = $1 AND t.status = 'open' AND t.gate_slot IS NULL \
     AND t.paused_at IS NULL \
     AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held')";

/// The first of those outside, in the order in which they enter.
/// The stage is compared as an expression, so that no index on it is taken for the order's.
pub(super) const WAITING: &str = "SELECT t.id, t.priority, t.gate_slot, 0, 0 FROM tasks t \
     WHERE t.repo_id = $1 AND t.status = 'open' AND t.gate_slot IS NULL \
     AND t.paused_at IS NULL \
     AND (NOT EXISTS (SELECT 1 FROM gate_stages) \
         OR t.stage || '' IN (SELECT g.stage FROM gate_stages g)) \
     AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held') \
     ORDER BY t.priority DESC, t.id LIMIT $2";

fn read(tx: &mut dyn Tx, sql: &str, values: &[Value]) -> Result<Vec<GateTask>> {
    let decode = |row| {
        let mut row = Reader::new("tasks", row);
        Ok(GateTask {
            id: TaskId(row.int("id")?),
            priority: row.number("priority")?,
            slot: row.opt_number("gate_slot")?,
            aside: row.int("aside")? != 0,
            outside: row.int("outside")? != 0,
        })
    };
    tx.query(sql, values)?.into_iter().map(decode).collect()
}

/// The first slot above all that are taken, passages apart.
fn beyond(tx: &mut dyn Tx, repo_id: RepoId) -> Result<u32> {
    let rows = tx.query(
        "SELECT coalesce(max(gate_slot) + 1, 0) FROM tasks \
         WHERE repo_id = $1 AND gate_slot IS NOT NULL AND gate_slot < $2",
        params![repo_id, PASSAGE],
    )?;
    Ok(u32::try_from(crate::rows::count(&rows)).unwrap_or(u32::MAX))
}

fn enter(tx: &mut dyn Tx, now: Timestamp, repo: &RepoName, task: TaskId, slot: u32) -> Result<()> {
    let rows = tx.query(
        "UPDATE tasks SET gate_slot = $2, updated_at = $3 WHERE id = $1 RETURNING id, key",
        params![task, slot, now],
    )?;
    for row in rows {
        let mut row = Reader::new("tasks", row);
        row.int("id")?;
        let key: TaskKey = row.parsed("key")?;
        let message = format!("enters the serial gate, slot {slot}");
        let data = json!({ "slot": slot });
        let event = events::about(EventKind::TaskAdmitted, repo, Some(&key), message, data);
        events::append(tx, now, &event)?;
    }
    Ok(())
}
