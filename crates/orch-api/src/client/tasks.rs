//! Tasks.

use ureq::http::StatusCode;

use super::pages::Walk;
use super::transport::{Sent, encode, json, with_query};
use super::{Client, Result};
use crate::breakers::{RetriedCause, RetryCauseRequest};
use crate::page::Page;
use crate::requests::{AnswerRequest, ApproveRequest, CancelRequest, NewTask, RetryRequest};
use crate::task::{TaskDetail, TaskSummary, Why};

/// Which tasks are wanted, and which part of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskQuery {
    /// Only those of this repository.
    pub repo: Option<String>,
    /// Only those doing this: `open`, `running`, `queued`, `waiting`, `paused`, `held`, `done` or
    /// `cancelled`.
    pub state: Option<String>,
    /// Only those at this stage.
    pub stage: Option<String>,
    /// Items on a page, 1 to 500; `None` is 50.
    pub limit: Option<u32>,
    /// The page after this cursor; `None` is the first.
    pub cursor: Option<String>,
}

/// A submitted task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedTask {
    /// The task.
    pub task: TaskSummary,
    /// False where the same request had been submitted before under the same idempotency key.
    pub created: bool,
}

impl Client {
    /// Submits a task. With an idempotency key the same request submits it once.
    pub fn submit(&self, task: &NewTask, idempotency_key: Option<&str>) -> Result<SubmittedTask> {
        let headers: Vec<_> =
            idempotency_key.map(|key| ("idempotency-key", key)).into_iter().collect();
        let sent = Sent { headers: &headers, stream: false };
        let answer = self.transport.post("/tasks", task, sent)?;
        let created = answer.status() == StatusCode::CREATED;
        Ok(SubmittedTask { task: json(&format!("{}/tasks", self.base_url()), answer)?, created })
    }

    /// A page of tasks, newest first.
    pub fn tasks(&self, query: &TaskQuery) -> Result<Page<TaskSummary>> {
        let path = with_query(
            "/tasks",
            &[
                ("repo", query.repo.clone()),
                ("state", query.state.clone()),
                ("stage", query.stage.clone()),
                ("limit", query.limit.map(|limit| limit.to_string())),
                ("cursor", query.cursor.clone()),
            ],
        );
        self.transport.get_json(&path)
    }

    /// Every task that is wanted, newest first, asked for page by page.
    pub fn every_task(&self, query: &TaskQuery) -> impl Iterator<Item = Result<TaskSummary>> {
        let (client, mut query) = (self.clone(), query.clone());
        Walk::new(move |cursor| {
            if cursor.is_some() {
                query.cursor = cursor;
            }
            client.tasks(&query)
        })
    }

    /// Everything about one task.
    pub fn task(&self, key: &str) -> Result<TaskDetail> {
        self.transport.get_json(&format!("/tasks/{}", encode(key)))
    }

    /// Why a task stands where it stands.
    pub fn why(&self, key: &str) -> Result<Why> {
        self.transport.get_json(&format!("/tasks/{}/why", encode(key)))
    }

    /// Cancels a task; a running run is ended within a moment.
    pub fn cancel(&self, key: &str, reason: Option<&str>) -> Result<TaskSummary> {
        let body = CancelRequest { reason: reason.map(str::to_owned) };
        self.transport.post_json(&format!("/tasks/{}/cancel", encode(key)), &body)
    }

    /// Sets a held or deferred task going again.
    pub fn retry(&self, key: &str) -> Result<TaskSummary> {
        self.retry_with(key, &RetryRequest::default())
    }

    /// Sets a held or deferred task going again, allowed more than its budget.
    pub fn retry_with(&self, key: &str, request: &RetryRequest) -> Result<TaskSummary> {
        self.transport.post_json(&format!("/tasks/{}/retry", encode(key)), request)
    }

    /// Sets every task going that a fault holds, and ends the pause of its channel.
    pub fn retry_cause(&self, cause: &str) -> Result<RetriedCause> {
        self.transport.post_json(&format!("/causes/{}/retry", encode(cause)), &RetryCauseRequest {})
    }

    /// Approves the human stage that a task waits at.
    pub fn approve(&self, key: &str, by: Option<&str>) -> Result<TaskSummary> {
        let body = ApproveRequest { by: by.map(str::to_owned) };
        self.transport.post_json(&format!("/tasks/{}/approve", encode(key)), &body)
    }

    /// Gives a held task advice for its next brief and sets it going.
    pub fn answer(&self, key: &str, text: &str) -> Result<TaskSummary> {
        let body = AnswerRequest { text: text.to_owned() };
        self.transport.post_json(&format!("/tasks/{}/answer", encode(key)), &body)
    }
}
