//! Migrations of a SQLite database: all that it lacks in one transaction, after a copy was made.

mod copies;
mod dry_run;
#[cfg(test)]
mod tests;
mod turn_back;

use std::path::Path;

use rusqlite::Connection;

use super::{care, failed};
use crate::engine::migrate::{Applied, HISTORY, Migration, newest, pending, signature, version};
use crate::error::{Result, StoreError};

pub(crate) use dry_run::dry_run;
pub(crate) use turn_back::turn_back;

/// The marked words and what SQLite puts in their place.
const WORDS: [(&str, &str); 3] = [
    ("{{id}}", "INTEGER PRIMARY KEY AUTOINCREMENT"),
    ("{{int}}", "INTEGER"),
    ("{{strict}}", " STRICT"),
];

/// Refuses a database that is newer than the steps and can't be used with them.
pub(crate) fn refuse_newer(
    connection: &Connection,
    file: Option<&Path>,
    steps: &[Migration],
) -> Result<()> {
    let usable_copy = || file.and_then(|file| copies::newest_usable(file, newest(steps)));
    pending(&applied(connection)?, steps, usable_copy).map(drop)
}

/// Brings a database up to date. Before the first change to a database that holds something, a
/// checked copy is left beside it; a step that fails leaves the database as it was.
pub(crate) fn migrate(
    connection: &Connection,
    file: Option<&Path>,
    steps: &[Migration],
) -> Result<()> {
    refuse_newer(connection, file, steps)?;
    let before = applied(connection)?;
    let missing = pending(&before, steps, || None)?;
    let Some(first) = missing.first() else { return Ok(()) };
    if let Some(file) = file
        && !before.is_empty()
    {
        copy_before(connection, file, first.version)?;
    }
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed("beginning a migration"))?;
    let done = apply(connection, steps);
    let end = if done.is_ok() { "COMMIT" } else { "ROLLBACK" };
    let ended = connection.execute_batch(end).map_err(failed("ending a migration"));
    done.and_then(|taken| ended.map(|()| taken))?.iter().for_each(|step| {
        tracing::info!(version = step.version, name = step.name, "migrated the database");
    });
    Ok(())
}

fn copy_before(connection: &Connection, file: &Path, first: i64) -> Result<()> {
    let copy = copies::name_before(file, first, jiff::Timestamp::now());
    match care::backup(connection, &copy) {
        // A damaged row must not keep the service down; `orch db check` lists it.
        Err(error @ StoreError::DamagedCopy { .. }) => tracing::error!(%error),
        made => made?,
    }
    tracing::info!(backup = %copy.display(), "copied the database before its migration");
    copies::prune(file);
    Ok(())
}

/// Takes the missing steps within the open transaction; somebody else may have taken them by now.
fn apply<'a>(connection: &Connection, steps: &'a [Migration]) -> Result<Vec<&'a Migration>> {
    let missing = pending(&applied(connection)?, steps, || None)?;
    for step in &missing {
        for part in [step.text(&WORDS).as_str(), step.sqlite] {
            connection.execute_batch(part).map_err(failed("migrating"))?;
        }
        connection
            .execute(
                "INSERT INTO schema_migrations (version, name) VALUES (?1, ?2)",
                (step.version, step.name),
            )
            .map_err(failed("recording a migration"))?;
    }
    if newest(steps) >= HISTORY {
        for step in &missing {
            connection
                .execute(
                    "UPDATE schema_migrations SET program = ?2, compatible_from = ?3 WHERE version = ?1",
                    (step.version, signature(), step.compatible_from),
                )
                .map_err(failed("recording a migration"))?;
        }
    }
    Ok(missing)
}

/// The steps a database has taken, in order.
pub(crate) fn applied(connection: &Connection) -> Result<Vec<Applied>> {
    let columns: i64 = connection
        .query_row("SELECT count(*) FROM pragma_table_info('schema_migrations')", [], |row| {
            row.get(0)
        })
        .map_err(failed("reading the schema"))?;
    let more = match columns {
        0 => return Ok(Vec::new()),
        1..=2 => "NULL, NULL",
        _ => "program, compatible_from",
    };
    let sql = format!("SELECT version, name, {more} FROM schema_migrations ORDER BY version");
    connection
        .prepare(&sql)
        .and_then(|mut statement| {
            let step = |row: &rusqlite::Row<'_>| {
                Ok(Applied {
                    version: row.get(0)?,
                    name: row.get(1)?,
                    program: row.get(2)?,
                    compatible_from: row.get(3)?,
                })
            };
            statement.query_map([], step)?.collect()
        })
        .map_err(failed("reading the schema's version"))
}

/// The version a database is at; 0 for an empty one.
fn version_of(connection: &Connection) -> Result<i64> {
    Ok(version(&applied(connection)?))
}
