//! Repositories.

use super::transport::with_query;
use super::{Client, Result};
use crate::page::Page;
use crate::repo::RepoItem;
use crate::requests::RegisterRepo;

impl Client {
    /// A page of repositories, by name.
    pub fn repos(&self, limit: Option<u32>, cursor: Option<&str>) -> Result<Page<RepoItem>> {
        let limit = limit.map(|limit| limit.to_string());
        let query = [("limit", limit), ("cursor", cursor.map(str::to_owned))];
        self.transport.get_json(&with_query("/repos", &query))
    }

    /// Registers a repository by its checkout on the service's machine; done again it changes
    /// nothing.
    pub fn register(&self, request: &RegisterRepo) -> Result<RepoItem> {
        self.transport.post_json("/repos", request)
    }
}
