//! Reads of tasks.

use orch_core::ids::{RepoId, RepoName, StageName, TaskId, TaskKey};
use orch_core::job::Job;
use orch_core::task::Task;

use super::jobs;
use crate::engine::{Tx, Value, params};
use crate::error::{Result, StoreError};
use crate::rows::task::{decode, task_columns};
use crate::rows::{Reader, sound};

/// The most tasks on one page.
pub const MAX_PAGE: u32 = 500;

/// What a task is doing, as one word: the states of a list's filter and of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskWord {
    /// Still to be worked, whatever it is doing.
    Open,
    /// A worker works on it.
    Running,
    /// Inside the serial gate; its job waits for a worker or for its time.
    Queued,
    /// Outside the serial gate, behind others.
    Waiting,
    /// Paused, and no run of it is under way.
    Paused,
    /// Parked with a reason.
    Held,
    /// At its end.
    Done,
    /// Cancelled.
    Cancelled,
}

impl TaskWord {
    /// Every word.
    pub const ALL: [Self; 8] = [
        Self::Open,
        Self::Running,
        Self::Queued,
        Self::Waiting,
        Self::Paused,
        Self::Held,
        Self::Done,
        Self::Cancelled,
    ];

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Held => "held",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads the word back.
    pub fn by_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.word() == word)
    }

    /// The condition on a task and its active job.
    fn condition(self) -> &'static str {
        match self {
            Self::Open => "t.status = 'open'",
            Self::Running => "t.status = 'open' AND j.status = 'running'",
            Self::Held => "t.status = 'open' AND j.status = 'held'",
            Self::Paused => "t.status = 'open' AND t.paused_at IS NOT NULL AND j.status = 'queued'",
            Self::Queued => {
                "t.status = 'open' AND t.paused_at IS NULL AND j.status = 'queued' \
                 AND t.gate_slot IS NOT NULL"
            }
            Self::Waiting => {
                "t.status = 'open' AND t.paused_at IS NULL AND j.status = 'queued' \
                 AND t.gate_slot IS NULL"
            }
            Self::Done => "t.status = 'done'",
            Self::Cancelled => "t.status = 'cancelled'",
        }
    }
}

/// Which tasks are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Only those of this repository.
    pub repo: Option<RepoName>,
    /// Only those doing this.
    pub state: Option<TaskWord>,
    /// Only those at this stage.
    pub stage: Option<StageName>,
}

/// Which part of a list is wanted; lists of tasks go from the newest to the oldest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only tasks older than this one: the last of the page before.
    pub before: Option<TaskId>,
    /// How many, at most [`MAX_PAGE`].
    pub limit: u32,
}

/// A page of tasks, each with its active job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// The tasks, newest first; the job is `None` for a finished one.
    pub items: Vec<(Task, Option<Job>)>,
    /// What the next page is asked for with; `None` at the end.
    pub next: Option<TaskId>,
}

/// The task with that key.
pub(crate) fn task(tx: &mut dyn Tx, key: &TaskKey) -> Result<Task> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks t JOIN repos r ON r.id = t.repo_id WHERE t.key = $1"
        ),
        params![key],
    )?;
    rows.into_iter().next().ok_or_else(|| StoreError::not_found("task", key)).and_then(decode)
}

/// The task of that row.
pub(crate) fn by_id(tx: &mut dyn Tx, id: TaskId) -> Result<Task> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks t JOIN repos r ON r.id = t.repo_id WHERE t.id = $1"
        ),
        params![id],
    )?;
    rows.into_iter().next().ok_or_else(|| StoreError::not_found("task", &id)).and_then(decode)
}

/// A task and its active job, as one moment shows them; the job is `None` for a finished task.
pub(crate) fn standing(tx: &mut dyn Tx, key: &TaskKey) -> Result<(Task, Option<Job>)> {
    let task = task(tx, key)?;
    let job = jobs::active(tx, task.id)?;
    Ok((task, job))
}

/// Where a task stands at the serial gate; readable also where its other columns are damaged.
pub(crate) struct Place {
    pub id: TaskId,
    pub repo_id: RepoId,
    pub repo: RepoName,
    pub open: bool,
    pub paused: bool,
}

/// Reads a task's place, to change it.
pub(crate) fn place(tx: &mut dyn Tx, key: &TaskKey) -> Result<Place> {
    let sql = format!(
        "SELECT t.id, t.repo_id, r.name, t.status, t.paused_at \
         FROM tasks t JOIN repos r ON r.id = t.repo_id WHERE t.key = $1{}",
        tx.dialect().row_lock
    );
    let rows = tx.query(&sql, params![key])?;
    let row = rows.into_iter().next().ok_or_else(|| StoreError::not_found("task", key))?;
    let mut row = Reader::new("tasks", row);
    Ok(Place {
        id: TaskId(row.int("id")?),
        repo_id: RepoId(row.int("repo_id")?),
        repo: row.parsed("repository")?,
        open: row.text("status")? == "open",
        paused: row.opt_int("paused_at")?.is_some(),
    })
}

/// A page of tasks.
pub(crate) fn tasks(tx: &mut dyn Tx, filter: &TaskFilter, page: Page) -> Result<TaskPage> {
    let limit = page.limit.clamp(1, MAX_PAGE);
    let mut sql = String::from(concat!(
        "SELECT ",
        task_columns!(),
        " FROM tasks t JOIN repos r ON r.id = t.repo_id \
         LEFT JOIN jobs j ON j.task_id = t.id AND j.finished_at IS NULL \
         WHERE t.id < $1"
    ));
    let before = page.before.map_or(i64::MAX, |id| id.0);
    let mut values = vec![Value::from(before), Value::from(limit + 1)];
    if let Some(state) = filter.state {
        sql.push_str(" AND ");
        sql.push_str(state.condition());
    }
    if let Some(repo) = &filter.repo {
        values.push(repo.into());
        sql.extend([" AND r.name = $", &values.len().to_string()]);
    }
    if let Some(stage) = &filter.stage {
        values.push(stage.into());
        sql.extend([" AND t.stage = $", &values.len().to_string()]);
    }
    sql.push_str(" ORDER BY t.id DESC LIMIT $2");
    let mut rows = tx.query(&sql, &values)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let last = rows.last().and_then(|row| match row.first() {
        Some(Value::Int(id)) => Some(TaskId(*id)),
        _ => None,
    });
    let mut items = Vec::with_capacity(rows.len());
    for task in sound(rows, decode) {
        match jobs::active(tx, task.id) {
            Ok(job) => items.push((task, job)),
            Err(error @ StoreError::Impossible { .. }) => {
                tracing::error!(%error, "left a damaged row out of a list");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(TaskPage { items, next: last.filter(|_| more) })
}
