//! The serial gate of a repository, as people see it.

use orch_core::ids::{RepoId, RepoName, TaskKey};
use orch_core::job::{Hold, HoldKind};
use orch_core::serial_gate::PASSAGE;
use orch_core::task::Pause;

use super::repos;
use crate::engine::{Row, Tx, params};
use crate::error::Result;
use crate::rows::repo::{Freeze, Repo};
use crate::rows::{Reader, count, sound};

/// The serial gate of one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoGate {
    /// The repository.
    pub repo: RepoName,
    /// Set while nobody enters.
    pub frozen: Option<Freeze>,
    /// Tasks inside, by slot; those at stages that the gate does not guard are not.
    pub holders: Vec<TaskKey>,
    /// Tasks outside, in the order in which they will enter; in an overview only the first.
    pub waiting: Vec<TaskKey>,
    /// How many tasks are outside.
    pub waiting_total: u64,
    /// Tasks that were told to step aside.
    pub paused: Vec<(TaskKey, Pause)>,
    /// Tasks that are parked.
    pub held: Vec<(TaskKey, Hold)>,
}

/// The serial gate of a repository, with everybody who waits.
pub(crate) fn gate_view(tx: &mut dyn Tx, name: &RepoName) -> Result<RepoGate> {
    let repo = repos::repo(tx, name)?;
    of_repo(tx, repo, i64::MAX)
}

/// The serial gate of a repository, with at most so many holders and so many who wait.
pub(crate) fn of_repo(tx: &mut dyn Tx, repo: Repo, limit: i64) -> Result<RepoGate> {
    Ok(RepoGate {
        holders: holders(tx, repo.id, limit)?,
        waiting: waiting(tx, repo.id, limit)?,
        waiting_total: waiting_total(tx, repo.id)?,
        paused: paused(tx, repo.id)?,
        held: held(tx, repo.id)?,
        repo: repo.info.name,
        frozen: repo.frozen,
    })
}

fn key(row: Row) -> Result<TaskKey> {
    let mut row = Reader::new("tasks", row);
    row.int("id")?;
    row.parsed("key")
}

fn holders(tx: &mut dyn Tx, repo: RepoId, limit: i64) -> Result<Vec<TaskKey>> {
    let rows = tx.query(
        "SELECT t.id, t.key FROM tasks t WHERE t.repo_id = $1 AND t.gate_slot IS NOT NULL \
         AND t.gate_slot < $3 ORDER BY t.gate_slot LIMIT $2",
        params![repo, limit, PASSAGE],
    )?;
    Ok(sound(rows, key))
}

fn waiting(tx: &mut dyn Tx, repo: RepoId, limit: i64) -> Result<Vec<TaskKey>> {
    let rows = tx.query(
        "SELECT t.id, t.key FROM tasks t WHERE t.repo_id = $1 AND t.status = 'open' \
         AND t.gate_slot IS NULL AND t.paused_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.task_id = t.id AND j.status = 'held') \
         ORDER BY t.priority DESC, t.id LIMIT $2",
        params![repo, limit],
    )?;
    Ok(sound(rows, key))
}

/// Counted as everybody outside without the held ones, so that no job is looked up one by one.
fn waiting_total(tx: &mut dyn Tx, repo: RepoId) -> Result<u64> {
    let outside = tx.query(
        "SELECT count(*) FROM tasks t WHERE t.repo_id = $1 AND t.status = 'open' \
         AND t.gate_slot IS NULL AND t.paused_at IS NULL",
        params![repo],
    )?;
    let held = tx.query(
        "SELECT count(*) FROM jobs j CROSS JOIN tasks t WHERE j.status = 'held' \
         AND t.id = j.task_id AND t.repo_id = $1 AND t.status = 'open' \
         AND t.gate_slot IS NULL AND t.paused_at IS NULL",
        params![repo],
    )?;
    Ok(count(&outside).saturating_sub(count(&held)))
}

fn paused(tx: &mut dyn Tx, repo: RepoId) -> Result<Vec<(TaskKey, Pause)>> {
    let rows = tx.query(
        "SELECT t.id, t.key, t.paused_at, t.pause_reason FROM tasks t \
         WHERE t.repo_id = $1 AND t.paused_at IS NOT NULL ORDER BY t.id",
        params![repo],
    )?;
    let decode = |row| {
        let mut row = Reader::new("tasks", row);
        row.int("id")?;
        let key = row.parsed("key")?;
        let at = row.time("paused_at")?;
        Ok((key, Pause { at, reason: row.opt_text("pause_reason")? }))
    };
    Ok(sound(rows, decode))
}

fn held(tx: &mut dyn Tx, repo: RepoId) -> Result<Vec<(TaskKey, Hold)>> {
    let rows = tx.query(
        "SELECT j.id, t.key, j.hold_kind, j.hold_reason FROM jobs j CROSS JOIN tasks t \
         WHERE j.status = 'held' AND t.id = j.task_id AND t.repo_id = $1 ORDER BY t.id",
        params![repo],
    )?;
    let decode = |row| {
        let mut row = Reader::new("jobs", row);
        row.int("id")?;
        let key = row.parsed("key")?;
        let word = row.text("hold_kind")?;
        let kind = HoldKind::by_word(&word).ok_or_else(|| row.impossible("no such hold"))?;
        Ok((key, Hold { kind, reason: row.text("hold_reason")? }))
    };
    Ok(sound(rows, decode))
}
