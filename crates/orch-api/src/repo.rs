//! Repositories on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A registered repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoItem {
    /// Its name.
    pub name: String,
    /// The prefix of its tasks' keys.
    pub key_prefix: String,
    /// Where merged work is pushed; a password in it is not shown.
    pub remote: String,
    /// The branch that work lands on.
    pub default_branch: String,
    /// The user's own checkout, where there is one; never written to.
    pub checkout: Option<String>,
    /// True while no task of it enters the serial gate.
    pub frozen: bool,
    /// Since when; `None` where it is not frozen.
    pub frozen_at: Option<Timestamp>,
    /// Why, in the words given.
    pub frozen_reason: Option<String>,
    /// When it was first registered.
    pub created_at: Timestamp,
}
