//! Finished tasks go after their time with all that belongs to them, in steps of a few rows each,
//! so that the writer is never held for long. What may go is looked at again in every step, and
//! the schema refuses the rest.

use jiff::Timestamp;
use orch_core::ids::{RepoName, RunId, TaskId, TaskKey};
use orch_core::retention::Keep;

use crate::engine::{Tx, Value, params};
use crate::error::Result;
use crate::rows::{Reader, count, sound};

/// Which finished tasks may go: those that ended before a moment and are not among the newest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueTasks {
    /// Tasks that finished before this moment.
    pub before: Timestamp,
    /// This many of the newest stay all the same.
    pub keep: u32,
}

impl DueTasks {
    /// What a rule comes to at this moment; `None` where every task stays.
    pub fn of(keep: &Keep, now: Timestamp) -> Option<Self> {
        Some(Self { before: keep.cutoff(now)?, keep: keep.newest })
    }
}

/// A finished task that may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueTask {
    /// Its row.
    pub id: TaskId,
    /// Its key.
    pub key: TaskKey,
    /// Its repository.
    pub repo: RepoName,
    /// When it finished.
    pub finished_at: Timestamp,
    /// Its runs, whose directories go with it.
    pub runs: Vec<RunId>,
}

/// What finished tasks that may go amount to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DueTaskCounts {
    /// The tasks.
    pub tasks: u64,
    /// Their runs.
    pub runs: u64,
    /// Their events.
    pub events: u64,
}

/// How far a step came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrunedTasks {
    /// Tasks that are gone.
    pub tasks: u64,
    /// Rows deleted in all.
    pub rows: u64,
}

/// `$1` is the moment, `$2` and `$3` are the newest task that may go.
macro_rules! is_due {
    () => {
        "t.finished_at IS NOT NULL AND t.finished_at < $1 AND (t.finished_at, t.id) <= ($2, $3)"
    };
}

/// A task's rows elsewhere, in the order in which they let go of each other. `$1` is the task, `$2`
/// how many rows may go.
const OF_TASK: [&str; 11] = [
    "DELETE FROM deploy_steps WHERE (deploy_id, seq) IN (\
     SELECT s.deploy_id, s.seq FROM deploy_steps s JOIN deploys d ON d.id = s.deploy_id \
     WHERE d.task_id = $1 ORDER BY s.deploy_id, s.seq LIMIT $2)",
    "DELETE FROM deploy_monitors WHERE deploy_id IN (\
     SELECT d.id FROM deploys d JOIN deploy_monitors m ON m.deploy_id = d.id \
     WHERE d.task_id = $1 ORDER BY d.id LIMIT $2)",
    "DELETE FROM deploys WHERE id IN (\
     SELECT d.id FROM deploys d WHERE d.task_id = $1 ORDER BY d.id LIMIT $2)",
    "DELETE FROM shadows WHERE call_id IN (\
     SELECT s.call_id FROM shadows s WHERE s.task_id = $1 ORDER BY s.call_id LIMIT $2)",
    "DELETE FROM questions WHERE run_id IN (\
     SELECT q.run_id FROM questions q WHERE q.task_id = $1 ORDER BY q.run_id LIMIT $2)",
    "DELETE FROM raised_budgets WHERE task_id IN (\
     SELECT b.task_id FROM raised_budgets b WHERE b.task_id = $1 LIMIT $2)",
    "DELETE FROM llm_calls WHERE call_id IN (\
     SELECT c.call_id FROM llm_calls c WHERE c.task_id = $1 ORDER BY c.call_id LIMIT $2)",
    "DELETE FROM gate_results WHERE id IN (\
     SELECT g.id FROM gate_results g WHERE g.task_id = $1 ORDER BY g.id LIMIT $2)",
    "DELETE FROM runs WHERE run_id IN (\
     SELECT n.run_id FROM runs n WHERE n.task_id = $1 ORDER BY n.run_id LIMIT $2)",
    "DELETE FROM jobs WHERE id IN (\
     SELECT j.id FROM jobs j WHERE j.task_id = $1 ORDER BY j.id LIMIT $2)",
    "DELETE FROM idempotency_keys WHERE task_id = $1 AND key IN (\
     SELECT i.key FROM idempotency_keys i WHERE i.task_id = $1 ORDER BY i.key LIMIT $2)",
];

/// The tasks that may go, the oldest first, at most `limit`, after the one given.
pub(crate) fn due(
    tx: &mut dyn Tx,
    due: DueTasks,
    after: Option<(Timestamp, TaskId)>,
    limit: u32,
) -> Result<Vec<DueTask>> {
    let Some((newest, newest_id)) = newest(tx, due.keep)? else { return Ok(Vec::new()) };
    let (after, after_id) = after.unwrap_or((Timestamp::MIN, TaskId(0)));
    let rows = tx.query(
        concat!(
            "SELECT t.id, t.key, r.name, t.finished_at FROM tasks t \
             JOIN repos r ON r.id = t.repo_id WHERE ",
            is_due!(),
            " AND (t.finished_at, t.id) > ($4, $5) ORDER BY t.finished_at, t.id LIMIT $6"
        ),
        params![due.before, newest, newest_id, after, after_id, limit],
    )?;
    let mut tasks = sound(rows, |row| {
        let mut row = Reader::new("tasks", row);
        Ok(DueTask {
            id: TaskId(row.int("id")?),
            key: row.parsed("key")?,
            repo: row.parsed("repository")?,
            finished_at: row.time("finished_at")?,
            runs: Vec::new(),
        })
    });
    for task in &mut tasks {
        let rows =
            tx.query("SELECT n.run_id FROM runs n WHERE n.task_id = $1", params![task.id])?;
        task.runs = sound(rows, |row| Reader::new("runs", row).parsed("run_id"));
    }
    Ok(tasks)
}

/// How many tasks may go, and what belongs to them.
pub(crate) fn count_due(tx: &mut dyn Tx, due: DueTasks) -> Result<DueTaskCounts> {
    let Some((newest, newest_id)) = newest(tx, due.keep)? else {
        return Ok(DueTaskCounts::default());
    };
    let values = params![due.before, newest, newest_id];
    let mut counted = |sql| Ok(count(&tx.query(sql, values)?));
    Ok(DueTaskCounts {
        tasks: counted(concat!("SELECT count(*) FROM tasks t WHERE ", is_due!()))?,
        runs: counted(concat!(
            "SELECT count(*) FROM tasks t JOIN runs n ON n.task_id = t.id WHERE ",
            is_due!()
        ))?,
        events: counted(concat!(
            "SELECT count(*) FROM tasks t JOIN events e ON e.task = t.key WHERE ",
            is_due!()
        ))?,
    })
}

/// The newest finished task that is not among those that stay for their number.
fn newest(tx: &mut dyn Tx, keep: u32) -> Result<Option<(Value, Value)>> {
    let rows = tx.query(
        "SELECT t.finished_at, t.id FROM tasks t WHERE t.finished_at IS NOT NULL \
         ORDER BY t.finished_at DESC, t.id DESC LIMIT 1 OFFSET $1",
        params![keep],
    )?;
    let mut values = rows.into_iter().flatten();
    Ok(values.next().zip(values.next()))
}

/// Deletes tasks that finished before the moment, with all that belongs to them, until `max_rows`
/// rows are gone; a task that was not done with is gone on with by the next step. Others are left
/// as they are.
pub(crate) fn prune(
    tx: &mut dyn Tx,
    before: Timestamp,
    tasks: &[TaskId],
    max_rows: u32,
) -> Result<PrunedTasks> {
    // The schema lets no event go whose task finished on this side of the mark.
    let mark = "UPDATE retention SET tasks_before = $1 WHERE tasks_before <> $1";
    tx.execute(mark, params![before])?;
    let mut pruned = PrunedTasks::default();
    for task in tasks {
        if !prune_one(tx, before, *task, max_rows.into(), &mut pruned)? {
            break;
        }
    }
    Ok(pruned)
}

/// False where the step's rows are used up.
fn prune_one(
    tx: &mut dyn Tx,
    before: Timestamp,
    task: TaskId,
    max_rows: u64,
    pruned: &mut PrunedTasks,
) -> Result<bool> {
    let rows = tx.query(
        "SELECT t.key FROM tasks t WHERE t.id = $1 AND t.finished_at < $2",
        params![task, before],
    )?;
    let Some(key) = rows.into_iter().flatten().next() else { return Ok(true) };
    let by_key = "DELETE FROM events WHERE id IN (\
                  SELECT e.id FROM events e WHERE e.task = $1 ORDER BY e.id LIMIT $2)";
    let by_id = OF_TASK.iter().map(|sql| (*sql, Value::from(task)));
    for (sql, of) in by_id.chain([(by_key, key)]) {
        let left = max_rows.saturating_sub(pruned.rows);
        if left == 0 {
            return Ok(false);
        }
        let gone = tx.execute(sql, &[of, Value::from(left)])?;
        pruned.rows += gone;
        if gone >= left {
            return Ok(false);
        }
    }
    let gone = tx.execute("DELETE FROM tasks WHERE id = $1", params![task])?;
    pruned.rows += gone;
    pruned.tasks += gone;
    Ok(pruned.rows < max_rows)
}
