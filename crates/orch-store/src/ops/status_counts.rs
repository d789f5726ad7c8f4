//! How many tasks there are, per stage and state.

use std::collections::BTreeMap;

use orch_core::ids::StageName;

use super::tasks::TaskWord;
use crate::engine::Tx;
use crate::error::Result;
use crate::rows::{Reader, count, sound};

/// How many tasks there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StatusCounts {
    /// Open tasks, per stage and by what they are doing.
    pub open: BTreeMap<StageName, BTreeMap<TaskWord, u64>>,
    /// Tasks at their end.
    pub done: u64,
    /// Cancelled tasks.
    pub cancelled: u64,
}

/// Counts tasks.
pub(crate) fn status_counts(tx: &mut dyn Tx) -> Result<StatusCounts> {
    let rows = tx.query(
        "SELECT t.stage, CASE WHEN j.status = 'running' THEN 'running' \
         WHEN j.status = 'held' THEN 'held' WHEN t.paused_at IS NOT NULL THEN 'paused' \
         WHEN t.gate_slot IS NULL THEN 'waiting' ELSE 'queued' END AS word, count(*) \
         FROM tasks t LEFT JOIN jobs j ON j.task_id = t.id AND j.finished_at IS NULL \
         WHERE t.status = 'open' GROUP BY t.stage, word",
        &[],
    )?;
    let decode = |row| {
        let mut row = Reader::new("tasks", row);
        let stage: StageName = row.parsed("stage")?;
        let word = row.text("state")?;
        let word = TaskWord::by_word(&word).ok_or_else(|| row.impossible("no such state"))?;
        Ok((stage, word, row.number::<u64>("count")?))
    };
    let mut counts = StatusCounts::default();
    for (stage, word, number) in sound(rows, decode) {
        counts.open.entry(stage).or_default().insert(word, number);
    }
    counts.done = count(&tx.query("SELECT count(*) FROM tasks WHERE status = 'done'", &[])?);
    let cancelled = tx.query("SELECT count(*) FROM tasks WHERE status = 'cancelled'", &[])?;
    counts.cancelled = count(&cancelled);
    Ok(counts)
}
