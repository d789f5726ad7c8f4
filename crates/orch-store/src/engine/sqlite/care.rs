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

/// Copies the database into a new file while it is in use. The copy gets its name when it is
/// whole, checked and on the disk; an existing file is never overwritten, and a copy that fails is
/// removed. A copy of a database that is damaged itself is kept and is
/// [`StoreError::DamagedCopy`].
pub(crate) fn backup(from: &Connection, to: &Path) -> Result<()> {
    let mut aside = to.as_os_str().to_owned();
    aside.push(".partial");
    let aside = Path::new(&aside);
    for path in [to, aside] {
        if std::fs::symlink_metadata(path).is_ok() {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(StoreError::io("will not overwrite", path, source));
        }
    }
    own_file(aside)?;
    let made = copy(from, aside).and_then(|found| settle(aside, to).map(|()| found));
    if made.is_err() {
        drop(std::fs::remove_file(aside));
    }
    match made?.into_iter().next() {
        None => Ok(()),
        Some(what) => Err(StoreError::DamagedCopy { path: to.to_owned(), what }),
    }
}

/// Gives what is wrong with the copy, and with the original too.
fn copy(from: &Connection, to: &Path) -> Result<Vec<String>> {
    let mut target = Connection::open(to).map_err(failed("opening the backup"))?;
    let backup = Backup::new(from, &mut target).map_err(failed("starting the backup"))?;
    // All pages in one step: a reader holds up nobody in WAL, and a copy in steps begins again
    // with every commit in between.
    backup
        .run_to_completion(i32::MAX, Duration::from_millis(10), None)
        .map_err(failed("copying the database"))?;
    drop(backup);
    // One file, without a log beside it.
    target
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(failed("closing the backup"))?;
    let found = complaints(&target)?;
    match found.first() {
        Some(what) if complaints(from)?.is_empty() => {
            let source = std::io::Error::other(what.clone());
            Err(StoreError::io("the database is sound and its copy is not:", to, source))
        }
        _ => Ok(found),
    }
}

/// Makes the copy durable and gives it its name.
fn settle(aside: &Path, to: &Path) -> Result<()> {
    let sync = |path: &Path| std::fs::File::open(path)?.sync_all();
    sync(aside).map_err(|e| StoreError::io("cannot write to the disk", aside, e))?;
    std::fs::rename(aside, to).map_err(|e| StoreError::io("cannot name", to, e))?;
    let folder = to.parent().filter(|path| !path.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    sync(folder).map_err(|e| StoreError::io("cannot write to the disk", folder, e))
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
