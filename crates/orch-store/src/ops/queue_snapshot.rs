//! The queue at one moment, as `GET /queue` shows it.

use jiff::Timestamp;
use orch_core::job::Job;
use orch_core::task::Task;

use super::breakers;
use super::gate_view::{RepoGate, of_repo};
use super::jobs::{pair, select_pairs};
use super::running;
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::repo::{decode as decode_repo, repo_columns};
use crate::rows::{Reader, sound};

/// Claimable jobs that are listed.
const NEXT: u32 = 20;
/// Holders and waiting tasks that are listed per repository.
const PER_REPO: i64 = 100;

/// The queue at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSnapshot {
    /// How many jobs there are that have not ended.
    pub counts: JobCounts,
    /// What runs, oldest job first.
    pub running: Vec<(Job, Task)>,
    /// What would be claimed next, in that order; at most 20.
    pub next: Vec<(Job, Task)>,
    /// Repositories with an open task, or frozen, by name.
    pub gates: Vec<RepoGate>,
}

/// How many jobs have not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// In the queue, due or not, inside the serial gate or not.
    pub queued: u64,
    /// With a worker.
    pub running: u64,
    /// Parked.
    pub held: u64,
}

/// Reads the queue.
pub(crate) fn queue_snapshot(tx: &mut dyn Tx, now: Timestamp) -> Result<QueueSnapshot> {
    let sql = format!(
        "{}{}{}",
        select_pairs!(
            "WHERE t.gate_slot IS NOT NULL AND t.parked_on IS NULL AND t.paused_at IS NULL \
             AND j.finished_at IS NULL AND j.status = 'queued' AND j.available_at <= $1"
        ),
        breakers::NOT_PAUSED,
        " ORDER BY t.priority DESC, t.id LIMIT $2"
    );
    let rows = tx.query(&sql, params![now, NEXT])?;
    Ok(QueueSnapshot {
        counts: counts(tx)?,
        running: running::running(tx, None)?,
        next: sound(rows, pair),
        gates: gates(tx)?,
    })
}

fn counts(tx: &mut dyn Tx) -> Result<JobCounts> {
    let rows = tx.query(
        "SELECT status, count(*) FROM jobs WHERE finished_at IS NULL GROUP BY status",
        &[],
    )?;
    let mut counts = JobCounts::default();
    for row in rows {
        let mut row = Reader::new("jobs", row);
        match row.text("status")?.as_str() {
            "queued" => counts.queued = row.number("count")?,
            "running" => counts.running = row.number("count")?,
            "held" => counts.held = row.number("count")?,
            // Only a hand edit makes another one; `integrity` names it.
            _ => {}
        }
    }
    Ok(counts)
}

fn gates(tx: &mut dyn Tx) -> Result<Vec<RepoGate>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            repo_columns!(),
            " FROM repos r WHERE r.frozen_at IS NOT NULL OR EXISTS (\
             SELECT 1 FROM tasks t WHERE t.repo_id = r.id AND t.status = 'open') ORDER BY r.name"
        ),
        &[],
    )?;
    sound(rows, decode_repo).into_iter().map(|repo| of_repo(tx, repo, PER_REPO)).collect()
}
