//! Repositories.

use jiff::Timestamp;
use orch_core::ids::{KeyPrefix, RepoId, RepoName};

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// A registered repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repo {
    /// Its row.
    pub id: RepoId,
    /// What was registered.
    pub info: NewRepo,
    /// Set while no task of it enters.
    pub frozen: Option<Freeze>,
    /// When it was first registered.
    pub created_at: Timestamp,
}

/// A repository about to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepo {
    /// Its name.
    pub name: RepoName,
    /// The prefix of its tasks' keys.
    pub key_prefix: KeyPrefix,
    /// Where merged work is pushed: a URL or a path.
    pub remote: String,
    /// The branch that work lands on.
    pub default_branch: String,
    /// The user's own checkout, where there is one; never written to.
    pub checkout: Option<String>,
}

/// No task of a repository enters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Freeze {
    /// Since when.
    pub at: Timestamp,
    /// Why, in the words given.
    pub reason: Option<String>,
}

/// The columns that [`decode`] reads.
macro_rules! repo_columns {
    () => {
        "r.id, r.name, r.key_prefix, r.remote, r.default_branch, r.checkout, r.frozen_at, \
         r.frozen_reason, r.created_at"
    };
}
pub(crate) use repo_columns;

pub(crate) fn decode(row: Row) -> Result<Repo> {
    let mut row = Reader::new("repos", row);
    let id = RepoId(row.int("id")?);
    let info = NewRepo {
        name: row.parsed("name")?,
        key_prefix: row.parsed("key_prefix")?,
        remote: row.text("remote")?,
        default_branch: row.text("default_branch")?,
        checkout: row.opt_text("checkout")?,
    };
    let frozen = match (row.opt_time("frozen_at")?, row.opt_text("frozen_reason")?) {
        (Some(at), reason) => Some(Freeze { at, reason }),
        (None, None) => None,
        (None, Some(_)) => return Err(row.impossible("frozen_reason is set without frozen_at")),
    };
    Ok(Repo { id, info, frozen, created_at: row.time("created_at")? })
}
