//! A task is submitted: it enters the first stage of its repository's pipeline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{NextJob, first_job};
use crate::event::{EventKind, NewEvent};
use crate::ids::{RepoName, TaskKey};
use crate::pipeline::Pipeline;
use crate::task::Progress;

/// The longest title, in characters.
pub const MAX_TITLE: usize = 300;
/// The longest body, in bytes.
pub const MAX_BODY: usize = 256 * 1024;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The repository.
    pub repo: RepoName,
    /// One line.
    pub title: String,
    /// The request in full; may be empty.
    pub body: String,
    /// Higher goes first.
    pub priority: i32,
    /// The repository's pipeline at this moment.
    pub pipeline: Pipeline,
}

impl Submission {
    /// Says what is wrong with the text of a request, before anything is stored.
    pub fn check(&self) -> Result<(), String> {
        let title = self.title.trim();
        if title.is_empty() {
            return Err("the title is empty".to_owned());
        }
        if title.chars().count() > MAX_TITLE {
            return Err(format!("the title is longer than {MAX_TITLE} characters"));
        }
        if title.chars().any(char::is_control) {
            return Err("the title has control characters; it is one line of text".to_owned());
        }
        if self.body.len() > MAX_BODY {
            return Err(format!("the body is larger than {MAX_BODY} bytes"));
        }
        if self.body.contains('\0') {
            return Err("the body has a NUL character".to_owned());
        }
        Ok(())
    }
}

/// Decides how a new task begins.
pub fn submitted(
    submission: &Submission,
    key: &TaskKey,
    now: Timestamp,
) -> (Progress, NextJob, Vec<NewEvent>) {
    let first = submission.pipeline.first();
    let event = |kind, message: String| NewEvent {
        kind,
        task: Some(key.clone()),
        repo: Some(submission.repo.clone()),
        run_id: None,
        message,
        data: json!({ "stage": first.name }),
    };
    let job = first_job(first, false, now, None);
    let events = vec![
        event(EventKind::TaskCreated, format!("submitted: {}", submission.title.trim())),
        event(EventKind::StageEntered, format!("enters {}", first.name)),
    ];
    (Progress::at(first.name.clone()), job, events)
}
