//! Reads of repositories.

use orch_core::ids::RepoName;

use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::rows::repo::{Repo, decode, repo_columns};
use crate::rows::sound;

/// The repository of that name.
pub(crate) fn repo(tx: &mut dyn Tx, name: &RepoName) -> Result<Repo> {
    find(tx, name)?.ok_or_else(|| StoreError::not_found("repository", name))
}

/// The repository of that name; `None` where there is none.
pub(crate) fn find(tx: &mut dyn Tx, name: &RepoName) -> Result<Option<Repo>> {
    let rows = tx.query(
        concat!("SELECT ", repo_columns!(), " FROM repos r WHERE r.name = $1"),
        params![name],
    )?;
    rows.into_iter().next().map(decode).transpose()
}

/// Every repository, by name.
pub(crate) fn repos(tx: &mut dyn Tx) -> Result<Vec<Repo>> {
    let sql = concat!("SELECT ", repo_columns!(), " FROM repos r ORDER BY r.name");
    Ok(sound(tx.query(sql, &[])?, decode))
}
