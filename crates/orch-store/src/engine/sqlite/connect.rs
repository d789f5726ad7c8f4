//! Opening connections: one that writes, a few that read.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::failed;
use crate::error::{Result, StoreError};

/// The first version without the WAL-reset corruption.
const OLDEST: (i32, &str) = (3_051_003, "3.51.3");
/// How long a connection waits for another process's lock: long enough for a backup or a
/// migration, short enough that a request can still be answered.
const BUSY: Duration = Duration::from_secs(5);
/// More than the statements there are, so that none is parsed twice.
const STATEMENTS: usize = 160;

/// Where a database is.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In a file.
    File(PathBuf),
    /// In memory, gone with its one connection.
    Memory,
}

/// Opens the connection that writes; makes the file, for its owner only, where there is none. What
/// `look` refuses is left as it was.
pub(crate) fn open_writer(
    place: &Place,
    look: impl FnOnce(&Connection) -> Result<()>,
) -> Result<Connection> {
    check_version(rusqlite::version_number(), rusqlite::version())?;
    let connection = match place {
        Place::File(path) => {
            own_file(path)?;
            open(path)?
        }
        Place::Memory => Connection::open_in_memory().map_err(failed("opening"))?,
    };
    prepare(&connection)?;
    look(&connection)?;
    if let Place::File(path) = place {
        let mode: String = connection
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .map_err(failed("switching to the write-ahead log"))?;
        if mode != "wal" {
            let source = std::io::Error::other(format!("journal mode stays {mode:?}"));
            return Err(StoreError::io("cannot use a write-ahead log for", path, source));
        }
    }
    connection
        .execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        .map_err(failed("opening"))?;
    Ok(connection)
}

/// Opens a connection that can only read. The writer's must be open.
pub(crate) fn open_reader(path: &Path) -> Result<Connection> {
    let connection = open(path)?;
    prepare(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON;").map_err(failed("opening"))?;
    Ok(connection)
}

/// Opens a database that has to be there, for a look or for care. Its file is not made.
pub(crate) fn open_existing(path: &Path) -> Result<Connection> {
    check_version(rusqlite::version_number(), rusqlite::version())?;
    let connection = open(path)?;
    prepare(&connection)?;
    Ok(connection)
}

fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags).map_err(failed("opening"))
}

fn prepare(connection: &Connection) -> Result<()> {
    connection.busy_timeout(BUSY).map_err(failed("opening"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection
        .execute_batch("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;")
        .map_err(failed("opening"))
}

fn check_version(number: i32, text: &str) -> Result<()> {
    if number < OLDEST.0 {
        let found = text.to_owned();
        return Err(StoreError::EngineTooOld { engine: "SQLite", found, needed: OLDEST.1 });
    }
    Ok(())
}

/// Makes the file where there is none and takes other users' rights away: SQLite gives its log
/// the same mode.
pub(crate) fn own_file(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|e| StoreError::io("cannot open", path, e))?;
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        file.set_permissions(mode)
            .map_err(|e| StoreError::io("cannot set the mode of", path, e))?;
    }
    drop(file);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_with_the_log_reset_fault_are_refused() {
        let error = check_version(3_051_002, "3.51.2").unwrap_err();
        assert_eq!(error.to_string(), "SQLite 3.51.2 is too old; 3.51.3 or newer is needed");
        assert!(check_version(3_051_003, "3.51.3").is_ok());
    }
}
