//! Looking after the database: check, backup, version.

use std::path::Path;

use super::Store;
use crate::engine::migrate::{MIGRATIONS, SchemaInfo, applied, newest};
use crate::engine::sqlite::care;
use crate::error::{Result, StoreError};
use crate::ops::snapshot;

impl Store {
    /// What is wrong with the database, one line each: pages, indexes, CHECK constraints,
    /// references, and rows that can't be read. Empty is healthy.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let pool = self.pool("check")?;
        let mut found = pool.with(care::complaints)?;
        let snapshot = self.read(|tx| snapshot::snapshot(tx))?;
        found.extend(snapshot.damaged.iter().map(ToString::to_string));
        Ok(found)
    }

    /// Copies the database into a new file while it is in use. An existing file is refused.
    pub fn backup(&self, to: &Path) -> Result<()> {
        // Not within the pool's transaction: a copy needs none, and sees one moment all the same.
        self.pool("backup")?.with_bare(|connection| care::backup(connection, to))
    }

    /// The database's version, and the newest that this program knows.
    pub fn schema_info(&self) -> Result<SchemaInfo> {
        let applied = self.pool("version")?.with(applied)?;
        let version = applied.last().map_or(0, |(version, _)| *version);
        Ok(SchemaInfo { version, supported: newest(MIGRATIONS), applied })
    }

    fn pool(&self, what: &'static str) -> Result<&super::Pool> {
        self.inner.readers.as_ref().ok_or_else(|| StoreError::Invalid {
            what,
            reason: "the database is in memory".to_owned(),
        })
    }
}
