//! The way back over a migration: the copy from before takes the database's place, where that loses
//! nothing.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::Connection;

use super::{applied, copies, failed, version_of};
use crate::engine::migrate::{Migration, newest, usable};
use crate::engine::sqlite::connect::{open_existing, own_file};
use crate::error::{Result, StoreError};

/// What is counted to tell whether anything was recorded: every table whose rows stand for something
/// that somebody was told. What workers say of themselves is left out.
const TABLES: [&str; 7] =
    ["repos", "tasks", "jobs", "runs", "gate_results", "events", "idempotency_keys"];

/// Puts the newest copy that these steps can use in the place of a database that they can't use.
/// `None` where the database can be used as it is; an error where something was recorded since the
/// copy was made, and then nothing is changed. The database is kept beside under another name.
pub(crate) fn turn_back(file: &Path, steps: &[Migration]) -> Result<Option<PathBuf>> {
    let current = open_existing(file)?;
    let supported = newest(steps);
    if usable(&applied(&current)?, supported) {
        return Ok(None);
    }
    let refused = |reason: &str| StoreError::conflict(&file.display(), reason);
    let copy = copies::newest_usable(file, supported)
        .ok_or_else(|| refused("no copy from before the migration is beside it"))?;
    if recorded(&current)? != recorded(&open_existing(&copy)?)? {
        return Err(refused(
            "something was recorded since the copy was made, which going back would lose; use the \
             newer program, or restore the copy by hand and lose it",
        ));
    }
    let version = version_of(&current)?;
    fold_log(&current, file)?;
    drop(current);
    replace(file, &copy, &copies::name_aside(file, version, Timestamp::now()))?;
    copies::prune(file);
    Ok(Some(copy))
}

/// How much was ever recorded: rows, the highest number given to an event, and all claims.
fn recorded(connection: &Connection) -> Result<Vec<i64>> {
    let counts = TABLES.iter().map(|table| format!("SELECT count(*) FROM {table}"));
    let more = [
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events'".to_owned(),
        "SELECT coalesce(sum(run_epoch), 0) FROM jobs".to_owned(),
    ];
    counts
        .chain(more)
        .map(|sql| connection.query_row(&sql, [], |row| row.get(0)))
        .collect::<Result<_, _>>()
        .map_err(failed("comparing the database with its copy"))
}

/// Brings all of the database into its one file.
fn fold_log(connection: &Connection, file: &Path) -> Result<()> {
    connection
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(failed("folding the log"))?;
    let log = log_of(file);
    if std::fs::symlink_metadata(&log).is_ok() {
        let source = std::io::Error::other("the log is still in use");
        return Err(StoreError::io("cannot put aside", file, source));
    }
    Ok(())
}

fn log_of(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push("-wal");
    PathBuf::from(path)
}

/// At any moment of a crash the one or the other database stands whole at its place.
fn replace(file: &Path, copy: &Path, aside: &Path) -> Result<()> {
    let fresh = copies::beside(file, "returning");
    let failed = |doing| move |source| StoreError::io(doing, file, source);
    own_file(&fresh)?;
    std::fs::copy(copy, &fresh).map_err(failed("cannot copy the copy of"))?;
    let sync = |path: &Path| std::fs::File::open(path)?.sync_all();
    sync(&fresh).map_err(failed("cannot write to the disk beside"))?;
    std::fs::hard_link(file, aside).map_err(failed("cannot keep"))?;
    std::fs::rename(&fresh, file).map_err(failed("cannot replace"))?;
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    sync(folder.unwrap_or(Path::new("."))).map_err(failed("cannot write to the disk beside"))
}
