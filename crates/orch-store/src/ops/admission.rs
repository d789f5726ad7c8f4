//! The serial gate of one repository: asks the pure rule who leaves and who enters, and writes
//! it down. Called by every operation after which somebody could enter.
//!
//! The rule is shown only those who could matter, so that 50,000 tasks outside cost nothing: with
//! the gate on, everybody inside and as many of the waiting as there are slots; with the gate
//! off, whoever has to leave and whoever has no slot yet.

use jiff::Timestamp;
use orch_core::event::EventKind;
use orch_core::ids::{RepoId, RepoName, TaskId, TaskKey};
use orch_core::serial_gate::{GatePolicy, GateTask, admit as rule};
use serde_json::json;

use super::events;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// Lets in whom the rule lets in; returns how many changes that made. Admissions of one repository
/// go one after the other: each locks its row first.
pub(crate) fn admit(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    repo_id: RepoId,
) -> Result<u64> {
    let (repo, frozen) = repo(tx, repo_id)?;
    let mut tasks = if gate.enabled { inside(tx, repo_id)? } else { leaving(tx, repo_id)? };
    if !frozen {
        let slots = if gate.enabled { i64::from(gate.width.max(1)) } else { i64::MAX };
        tasks.extend(waiting(tx, repo_id, slots)?);
    }
    let plan = rule(&tasks, frozen, gate);
    let first_slot = if gate.enabled || plan.admit.is_empty() { 0 } else { beyond(tx, repo_id)? };
    for task in &plan.release {
        tx.execute("UPDATE tasks SET gate_slot = NULL WHERE id = $1", params![*task])?;
    }
    for (task, slot) in &plan.admit {
        enter(tx, now, &repo, *task, first_slot.saturating_add(*slot))?;
    }
    Ok((plan.release.len() + plan.admit.len()) as u64)
}

fn repo(tx: &mut dyn Tx, id: RepoId) -> Result<(RepoName, bool)> {
    let sql =
        format!("SELECT id, name, frozen_at FROM repos WHERE id = $1{}", tx.dialect().row_lock);
    let rows = tx.query(&sql, params![id])?;
    let row = rows.into_iter().next().ok_or_else(|| StoreError::not_found("repository", &id))?;
    let mut row = Reader::new("repos", row);
    row.int("id")?;
    Ok((row.parsed("name")?, row.opt_int("frozen_at")?.is_some()))
}

/// Everybody inside.
fn inside(tx: &mut dyn Tx, repo_id: RepoId) -> Result<Vec<GateTask>> {
    read(
        tx,
        "SELECT t.id, t.priority, t.gate_slot, CASE WHEN t.paused_at IS NOT NULL OR EXISTS (\
             SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held'\
         ) THEN 1 ELSE 0 END \
         FROM tasks t WHERE t.repo_id = $1 AND t.gate_slot IS NOT NULL",
        params![repo_id],
    )
}

/// Those inside whose job is held.
fn leaving(tx: &mut dyn Tx, repo_id: RepoId) -> Result<Vec<GateTask>> {
    read(
        tx,
        "SELECT t.id, t.priority, t.gate_slot, 1 FROM jobs j CROSS JOIN tasks t \
         WHERE j.status = 'held' AND t.id = j.task_id AND t.repo_id = $1 \
         AND t.gate_slot IS NOT NULL",
        params![repo_id],
    )
}

/// The first of those outside, in the order in which they enter.
fn waiting(tx: &mut dyn Tx, repo_id: RepoId, limit: i64) -> Result<Vec<GateTask>> {
    read(
        tx,
        "SELECT t.id, t.priority, t.gate_slot, 0 FROM tasks t \
         WHERE t.repo_id = $1 AND t.status = 'open' AND t.gate_slot IS NULL \
         AND t.paused_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held') \
         ORDER BY t.priority DESC, t.id LIMIT $2",
        params![repo_id, limit],
    )
}

fn read(tx: &mut dyn Tx, sql: &str, values: &[crate::engine::Value]) -> Result<Vec<GateTask>> {
    let decode = |row| {
        let mut row = Reader::new("tasks", row);
        Ok(GateTask {
            id: TaskId(row.int("id")?),
            priority: row.number("priority")?,
            slot: row.opt_number("gate_slot")?,
            aside: row.int("aside")? != 0,
        })
    };
    tx.query(sql, values)?.into_iter().map(decode).collect()
}

/// The first slot above all that are taken.
fn beyond(tx: &mut dyn Tx, repo_id: RepoId) -> Result<u32> {
    let rows = tx.query(
        "SELECT coalesce(max(gate_slot) + 1, 0) FROM tasks \
         WHERE repo_id = $1 AND gate_slot IS NOT NULL",
        params![repo_id],
    )?;
    Ok(u32::try_from(crate::rows::count(&rows)).unwrap_or(u32::MAX))
}

fn enter(tx: &mut dyn Tx, now: Timestamp, repo: &RepoName, task: TaskId, slot: u32) -> Result<()> {
    let rows = tx.query(
        "UPDATE tasks SET gate_slot = $2, updated_at = $3 \
         WHERE id = $1 AND status = 'open' AND paused_at IS NULL AND gate_slot IS NULL \
         RETURNING id, key",
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
