//! What can go wrong, each with what helps.

use std::io;
use std::path::{Path, PathBuf};

use orch_core::ids::VersionName;

/// Says why something about versions did not happen.
#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    /// A file or folder can't be used.
    #[error("{doing} {}{}", path.display(), remedy(source))]
    Io {
        /// What was tried, such as `cannot write`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Another process does what only one may do.
    #[error("{} is in use{}: {what}", path.display(), .pid.map(|pid| format!(" by process {pid}")).unwrap_or_default())]
    InUse {
        /// The file or folder.
        path: PathBuf,
        /// The other process; `None` where it could not be read.
        pid: Option<u32>,
        /// What it is, and what helps.
        what: &'static str,
    },
    /// There is nothing that could be started.
    #[error("no version is current under {}; `orch self install` makes one", path.display())]
    NothingInstalled {
        /// The prefix.
        path: PathBuf,
    },
    /// The version is not installed.
    #[error("version {0} is not installed; `orch self status` lists those that are")]
    NoSuchVersion(VersionName),
    /// A switch is under way or asked for already.
    #[error("another switch is asked for or under way (to {0}); wait for its end")]
    Busy(VersionName),
    /// A record can't be read.
    #[error("{} can't be read: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::FileTooLarge => {
            "; make room on the disk and try again, nothing was changed"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; make it writable for this user"
        }
        _ => "",
    }
}

impl LauncherError {
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}

/// Short for what everything here returns.
pub(crate) type Result<T, E = LauncherError> = std::result::Result<T, E>;
