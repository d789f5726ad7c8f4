//! Looking after a SQLite database: online backup, and what the engine itself can check.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::Backup;

use super::connect::own_file;
use super::failed;
use crate::error::{Result, StoreError};

/// The most complaints of one kind that are listed.
const MAX_COMPLAINTS: usize = 100;

/// Copies the database into a new file while it is in use. An existing file is never overwritten;
/// a copy that fails half-way is removed.
pub(crate) fn backup(from: &Connection, to: &Path) -> Result<()> {
    if std::fs::symlink_metadata(to).is_ok() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(StoreError::io("will not overwrite", to, source));
    }
    own_file(to)?;
    let copied = copy(from, to);
    if copied.is_err() {
        drop(std::fs::remove_file(to));
    }
    copied
}

fn copy(from: &Connection, to: &Path) -> Result<()> {
    let mut target = Connection::open(to).map_err(failed("opening the backup"))?;
    let backup = Backup::new(from, &mut target).map_err(failed("starting the backup"))?;
    // All pages in one step: a reader holds up nobody in WAL, and a copy in steps begins again
    // with every commit in between.
    backup
        .run_to_completion(i32::MAX, Duration::from_millis(10), None)
        .map_err(failed("copying the database"))
}

/// What the engine finds wrong: pages, indexes, types, CHECK constraints, references. Empty is
/// healthy.
pub(crate) fn complaints(connection: &Connection) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let pages = format!("PRAGMA integrity_check({MAX_COMPLAINTS})");
    let mut statement = connection.prepare(&pages).map_err(failed("checking"))?;
    let lines =
        statement.query_map([], |row| row.get::<_, String>(0)).map_err(failed("checking"))?;
    for line in lines {
        let line = line.map_err(failed("checking"))?;
        if line != "ok" {
            found.push(line);
        }
    }
    let mut statement =
        connection.prepare("PRAGMA foreign_key_check").map_err(failed("checking references"))?;
    let lines = statement
        .query_map([], |row| {
            let (table, id, parent): (String, Option<i64>, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let id = id.map_or_else(|| "?".to_owned(), |id| id.to_string());
            Ok(format!("{table} row {id} refers to a row of {parent} that is not there"))
        })
        .map_err(failed("checking references"))?;
    for line in lines.take(MAX_COMPLAINTS) {
        found.push(line.map_err(failed("checking references"))?);
    }
    Ok(found)
}
