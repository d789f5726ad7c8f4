//! Migrations of a SQLite database, each step in one transaction.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{care, failed};
use crate::engine::migrate::{Migration, newest};
use crate::error::{Result, StoreError};

/// The marked words and what SQLite puts in their place.
const WORDS: [(&str, &str); 3] = [
    ("{{id}}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
    ("{{int}}", "INTEGER"),
    ("{{strict}}", " STRICT"),
];

/// Brings a database up to date. Before the first change to a database that holds something, a
/// copy is left beside it; a database newer than the program is left alone.
pub(crate) fn migrate(
    connection: &Connection,
    file: Option<&Path>,
    steps: &[Migration],
) -> Result<()> {
    let before = version(connection)?;
    let supported = newest(steps);
    if before > supported {
        return Err(StoreError::TooNew { database: before, supported });
    }
    if before == supported {
        return Ok(());
    }
    if let Some(file) = file
        && before > 0
    {
        let copy = free_name(file, before);
        match care::backup(connection, &copy) {
            // A damaged row must not keep the service down; `orch db check` lists it.
            Err(error @ StoreError::DamagedCopy { .. }) => tracing::error!(%error),
            made => made?,
        }
        tracing::info!(backup = %copy.display(), "copied the database before its migration");
    }
    for step in steps {
        apply(connection, step)?;
    }
    Ok(())
}

/// Applies one step unless it is applied; somebody else may be migrating at the same time.
fn apply(connection: &Connection, step: &Migration) -> Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed("beginning a migration"))?;
    let done = apply_within(connection, step);
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute_batch(end).map_err(failed("ending a migration"));
    done.and(ended)
}

fn apply_within(connection: &Connection, step: &Migration) -> Result<()> {
    if version(connection)? >= step.version {
        return Ok(());
    }
    for part in [step.text(&WORDS).as_str(), step.sqlite] {
        connection.execute_batch(part).map_err(failed("migrating"))?;
    }
    connection
        .execute(
            "INSERT INTO schema_migrations (version, name) VALUES (?1, ?2)",
            (step.version, step.name),
        )
        .map_err(failed("recording a migration"))?;
    tracing::info!(version = step.version, name = step.name, "migrated the database");
    Ok(())
}

/// The version a database is at; 0 for an empty one.
fn version(connection: &Connection) -> Result<i64> {
    Ok(applied(connection)?.last().map_or(0, |(version, _)| *version))
}

/// The steps a database has taken, in order.
pub(crate) fn applied(connection: &Connection) -> Result<Vec<(i64, String)>> {
    let known: bool = connection
        .query_row(
            "SELECT count(*) > 0 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'",
            [],
            |row| row.get(0),
        )
        .map_err(failed("reading the schema"))?;
    if !known {
        return Ok(Vec::new());
    }
    connection
        .prepare("SELECT version, name FROM schema_migrations ORDER BY version")
        .and_then(|mut statement| {
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })
        .map_err(failed("reading the schema's version"))
}

/// The first free name for a copy at that version: `orch.db.v1.bak`, `orch.db.v1.2.bak`, …
fn free_name(file: &Path, version: i64) -> PathBuf {
    let name = |suffix: String| {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        PathBuf::from(path)
    };
    let first = name(format!(".v{version}.bak"));
    let more = (2..).map(|n| name(format!(".v{version}.{n}.bak")));
    std::iter::once(first.clone()).chain(more).find(|path| !path.exists()).unwrap_or(first)
}

#[cfg(test)]
mod tests;
