//! Looking after the database: check, backup, version.

use std::path::{Path, PathBuf};

use super::{Address, Backend, Store};
use crate::engine::migrate::{MIGRATIONS, MigrationPlan, SchemaInfo, newest, usable, version};
use crate::engine::postgres::{Server, migrate};
use crate::engine::sqlite;
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
        let (version, supported) = (version(&applied), newest(MIGRATIONS));
        Ok(SchemaInfo {
            version,
            supported,
            usable: usable(&applied, supported) && version >= supported,
            applied,
        })
    }

    /// What opening the database at this address would do to its schema. Every missing step is
    /// tried: on a copy of a SQLite database, in a transaction that is undone on a server.
    pub fn migration_plan(address: &str) -> Result<MigrationPlan> {
        match Address::parse(address)? {
            Address::Sqlite(path) => sqlite::migrate::dry_run(path, MIGRATIONS),
            Address::Postgres(url) => {
                migrate::dry_run(&mut Server::parse(url)?.connect_checked()?, MIGRATIONS)
            }
        }
    }

    /// Puts the copy from before a migration back in the place of a database that is too new for
    /// this program, where nothing was recorded since: the copy's path, or `None` where the database
    /// can be used as it is. Nothing may use the database meanwhile.
    pub fn turn_back(path: &Path) -> Result<Option<PathBuf>> {
        sqlite::migrate::turn_back(path, MIGRATIONS)
    }
}
