//! A task is submitted: the task, its first job and the events, in one transaction.

use jiff::Timestamp;
use orch_core::decide::{Submission, submitted};
use orch_core::ids::{KeyPrefix, RepoId, TaskId, TaskKey};
use orch_core::serial_gate::GatePolicy;
use orch_core::task::{Progress, Task};

use super::{admission, apply, events, tasks};
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// What makes two requests one: the second gets the first one's task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Who the key belongs to, such as `api` or a webhook's source.
    pub scope: String,
    /// The key as given.
    pub key: String,
    /// A hash of the request, so that the key can't stand for another one.
    pub body_hash: String,
}

/// A submission's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// The task.
    pub task: Task,
    /// False where an earlier request with the same idempotency key had made it.
    pub fresh: bool,
}

/// Submits a task.
pub(crate) fn submit(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    submission: &Submission,
    idempotency: Option<&IdempotencyKey>,
) -> Result<Submitted> {
    if let Some(task) = idempotency.map(|key| earlier(tx, key)).transpose()?.flatten() {
        return Ok(Submitted { task, fresh: false });
    }
    check(submission)?;
    let (repo_id, key) = next_key(tx, submission)?;
    let (progress, job, new_events) = submitted(submission, &key, now);
    let task_id = insert_task(tx, now, repo_id, submission, &key, &progress)?;
    apply::insert_job(tx, now, task_id, submission.priority, &job)?;
    if let Some(idempotency) = idempotency {
        remember(tx, now, idempotency, task_id)?;
    }
    events::record(tx, now, &new_events)?;
    admission::admit(tx, now, gate, repo_id)?;
    Ok(Submitted { task: tasks::task(tx, &key)?, fresh: true })
}

fn check(submission: &Submission) -> Result<()> {
    let invalid = |reason| StoreError::Invalid { what: "submission", reason };
    submission.check().map_err(invalid)?;
    if submission.pipeline.stages.is_empty() {
        return Err(invalid("its pipeline has no stages".to_owned()));
    }
    Ok(())
}

fn earlier(tx: &mut dyn Tx, key: &IdempotencyKey) -> Result<Option<Task>> {
    let rows = tx.query(
        "SELECT i.task_id, i.body_hash FROM idempotency_keys i WHERE i.scope = $1 AND i.key = $2",
        params![&key.scope, &key.key],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut row = Reader::new("idempotency_keys", row);
    let task = tasks::by_id(tx, TaskId(row.int("task_id")?))?;
    if row.text("body_hash")? == key.body_hash {
        return Ok(Some(task));
    }
    Err(StoreError::IdempotencyMismatch {
        scope: key.scope.clone(),
        key: key.key.clone(),
        task: task.key,
    })
}

fn remember(tx: &mut dyn Tx, now: Timestamp, key: &IdempotencyKey, task: TaskId) -> Result<()> {
    tx.execute(
        "INSERT INTO idempotency_keys (scope, key, body_hash, task_id, created_at) \
         VALUES ($1, $2, $3, $4, $5)",
        params![&key.scope, &key.key, &key.body_hash, task, now],
    )?;
    Ok(())
}

fn next_key(tx: &mut dyn Tx, submission: &Submission) -> Result<(RepoId, TaskKey)> {
    let rows = tx.query(
        "UPDATE repos SET next_number = next_number + 1 WHERE name = $1 \
         RETURNING id, key_prefix, next_number - 1",
        params![&submission.repo],
    )?;
    let row = rows.into_iter().next();
    let row = row.ok_or_else(|| StoreError::not_found("repository", &submission.repo))?;
    let mut row = Reader::new("repos", row);
    let id = RepoId(row.int("id")?);
    let prefix: KeyPrefix = row.parsed("key_prefix")?;
    Ok((id, TaskKey::new(prefix, row.number("next_number")?)))
}

fn insert_task(
    tx: &mut dyn Tx,
    now: Timestamp,
    repo_id: RepoId,
    submission: &Submission,
    key: &TaskKey,
    progress: &Progress,
) -> Result<TaskId> {
    let rows = tx.query(
        "INSERT INTO tasks (repo_id, key, title, body, priority, pipeline, status, stage, \
         feedback, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8, $9, $9) RETURNING id",
        params![
            repo_id,
            key,
            submission.title.trim(),
            &submission.body,
            submission.priority,
            apply::json("pipeline", &submission.pipeline)?,
            &progress.stage,
            apply::json("feedback", &progress.feedback)?,
            now,
        ],
    )?;
    Ok(TaskId(crate::rows::count(&rows) as i64))
}
