//! A repository is registered, or its registration changes.

use jiff::Timestamp;
use orch_core::event::EventKind;
use serde_json::json;

use super::{events, repos};
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::repo::NewRepo;

/// Registers a repository; says whether anything changed. A prefix that another repository has is
/// a conflict. Keys of existing tasks stay as they are.
pub(crate) fn register_repo(tx: &mut dyn Tx, now: Timestamp, repo: &NewRepo) -> Result<bool> {
    let known = repos::find(tx, &repo.name)?;
    if known.as_ref().is_some_and(|known| known.info == *repo) {
        return Ok(false);
    }
    let rival = tx.query(
        "SELECT name FROM repos WHERE key_prefix = $1 AND name <> $2",
        params![&repo.key_prefix, &repo.name],
    )?;
    if !rival.is_empty() {
        let reason = format!(
            "another repository has the key prefix {}; choose another in orch.toml",
            repo.key_prefix
        );
        return Err(StoreError::conflict(&repo.name, reason));
    }
    tx.execute(
        "INSERT INTO repos (name, key_prefix, remote, default_branch, checkout, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (name) DO UPDATE SET key_prefix = excluded.key_prefix, \
         remote = excluded.remote, default_branch = excluded.default_branch, \
         checkout = excluded.checkout",
        params![
            &repo.name,
            &repo.key_prefix,
            &repo.remote,
            &repo.default_branch,
            repo.checkout.clone(),
            now,
        ],
    )?;
    let what = if known.is_some() { "registration changed" } else { "registered" };
    let data = json!({ "key_prefix": repo.key_prefix, "default_branch": repo.default_branch });
    let event = events::about(EventKind::RepoRegistered, &repo.name, None, what.to_owned(), data);
    events::append(tx, now, &event)?;
    Ok(true)
}
