//! The serial gate.

use super::{Client, Result};
use crate::repo::RepoItem;
use crate::requests::{FreezeRequest, PauseRequest, ResumeRequest, UnfreezeRequest};
use crate::task::TaskSummary;

impl Client {
    /// Steps a task aside; done again it changes nothing.
    pub fn pause(&self, key: &str, reason: Option<&str>) -> Result<TaskSummary> {
        let body = PauseRequest { task: key.to_owned(), reason: reason.map(str::to_owned) };
        self.transport.post_json("/serial-gate/pause", &body)
    }

    /// Puts a paused task back in its place; done again it changes nothing.
    pub fn resume(&self, key: &str) -> Result<TaskSummary> {
        let body = ResumeRequest { task: key.to_owned(), reason: None };
        self.transport.post_json("/serial-gate/resume", &body)
    }

    /// Lets no further task of a repository in; done again it changes nothing.
    pub fn freeze(&self, repo: &str, reason: Option<&str>) -> Result<RepoItem> {
        let body = FreezeRequest { repo: repo.to_owned(), reason: reason.map(str::to_owned) };
        self.transport.post_json("/serial-gate/freeze", &body)
    }

    /// Lets tasks of a repository in again; done again it changes nothing.
    pub fn unfreeze(&self, repo: &str) -> Result<RepoItem> {
        let body = UnfreezeRequest { repo: repo.to_owned(), reason: None };
        self.transport.post_json("/serial-gate/unfreeze", &body)
    }
}
