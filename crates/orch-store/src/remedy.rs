//! What to do when the database or a file fails: part of the error's own words, so that logs,
//! answers and terminals all say it.

use std::error::Error;
use std::io::ErrorKind;

use rusqlite::ErrorCode;

const MAKE_ROOM: &str = "; make room on the disk: the store then works again by itself";
const MAKE_WRITABLE: &str = "; make the database and its folder writable for this user";

/// What to do about that cause, led in by `; `; empty where nothing is known that helps.
pub(crate) fn remedy(cause: &(dyn Error + Send + Sync + 'static)) -> &'static str {
    let code = cause.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "; another process holds its lock: wait for that process or end it, then try again"
        }
        Some(ErrorCode::DiskFull) => MAKE_ROOM,
        Some(ErrorCode::SystemIoFailure) => {
            "; see whether the disk is full, failing or mounted read-only, or a file-size limit \
             (`ulimit -f`) is reached"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
            MAKE_WRITABLE
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            "; it is damaged: stop the service, keep a copy of the files, and restore a backup"
        }
        Some(ErrorCode::NotADatabase) => {
            "; the file is no database, or its header is destroyed: restore a backup, or move it away"
        }
        _ => "",
    }
}

/// The same for a file that can't be used.
pub(crate) fn remedy_io(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => MAKE_WRITABLE,
        ErrorKind::StorageFull | ErrorKind::FileTooLarge => MAKE_ROOM,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_of_a_disk_has_a_remedy_and_others_have_none() {
        let failure =
            |code| remedy(&rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None));
        // BUSY, LOCKED, READONLY_DIRECTORY, IOERR_WRITE, CORRUPT, FULL, CANTOPEN, NOTADB
        for code in [5, 6, 1544, 778, 11, 13, 14, 26] {
            assert!(failure(code).starts_with("; "), "{code}");
        }
        assert_eq!(failure(1), "");
        assert_eq!(remedy(&std::io::Error::other("another engine")), "");
        assert_eq!(remedy_io(&ErrorKind::ReadOnlyFilesystem.into()), MAKE_WRITABLE);
        assert_eq!(remedy_io(&ErrorKind::StorageFull.into()), MAKE_ROOM);
        assert_eq!(remedy_io(&ErrorKind::NotFound.into()), "");
    }
}
