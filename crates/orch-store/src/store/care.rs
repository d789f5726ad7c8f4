//! Looking after the database: check, backup, version.

use std::path::Path;

use super::{Backend, Store};
use crate::engine::migrate::{MIGRATIONS, SchemaInfo, newest};
use crate::error::Result;
use crate::ops::snapshot;

impl Store {
    /// What is wrong with the database, one line each: pages and indexes where the engine can look,
    /// CHECK constraints, references, and rows that can't be read. Empty is healthy.
    pub fn integrity(&self) -> Result<Vec<String>> {
        let mut found = match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.complaints()?,
            Backend::Postgres(postgres) => postgres.complaints()?,
        };
        let snapshot = self.read(|tx| snapshot::snapshot(tx))?;
        found.extend(snapshot.damaged.iter().map(ToString::to_string));
        Ok(found)
    }

    /// Copies the database into a new file while it is in use: a SQLite database, or what `pg_dump`
    /// writes. An existing file is refused.
    pub fn backup(&self, to: &Path) -> Result<()> {
        match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.backup(to),
            Backend::Postgres(postgres) => postgres.backup(to),
        }
    }

    /// The database's version, and the newest that this program knows.
    pub fn schema_info(&self) -> Result<SchemaInfo> {
        let applied = match &self.inner.backend {
            Backend::Sqlite(sqlite) => sqlite.applied()?,
            Backend::Postgres(postgres) => postgres.applied()?,
        };
        let version = applied.last().map_or(0, |(version, _)| *version);
        Ok(SchemaInfo { version, supported: newest(MIGRATIONS), applied })
    }
}
