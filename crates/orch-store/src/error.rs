//! What can go wrong in the store, each with what a caller needs to act on it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use orch_core::ids::{JobId, TaskKey};

use crate::remedy::{remedy, remedy_io};

/// A cause underneath, shared because every operation of a failed group gets it.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Says why an operation did not happen. Nothing of it was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The thing named is not there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// The kind of thing, such as `task`.
        what: &'static str,
        /// What was asked for.
        id: String,
    },
    /// The present state of the thing does not allow it.
    #[error("{what}: {reason}")]
    Conflict {
        /// The thing, such as a task's key.
        what: String,
        /// Why not, and what would be allowed.
        reason: String,
    },
    /// What was given can't be stored.
    #[error("{what} can't be stored: {reason}")]
    Invalid {
        /// What was given, such as `submission`.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The job has moved on: it belongs to another run, or to nobody. Kill the run, discard its
    /// result.
    #[error("job {job_id} is no longer held by epoch {run_epoch}: it has moved on")]
    Fenced {
        /// The job.
        job_id: JobId,
        /// The epoch that was shown.
        run_epoch: u64,
    },
    /// An idempotency key was used before for another request.
    #[error(
        "idempotency key {key:?} of {scope} was used for another request (task {task}); use a new key"
    )]
    IdempotencyMismatch {
        /// Who the key belongs to.
        scope: String,
        /// The key.
        key: String,
        /// The task that the first request made.
        task: TaskKey,
    },
    /// A row holds what no operation can have written.
    #[error("{table} row {id} is damaged: {what}; run `orch db check`")]
    Impossible {
        /// The table.
        table: &'static str,
        /// The row.
        id: String,
        /// What is wrong with it.
        what: String,
    },
    /// A copy was made and kept, and what it is a copy of is damaged.
    #[error("the database is damaged, and so is its copy {path}: {what}; run `orch db check`")]
    DamagedCopy {
        /// The copy.
        path: PathBuf,
        /// The first thing that is wrong.
        what: String,
    },
    /// A constraint of the schema refused the write.
    #[error("the database refused a write that breaks {constraint:?}")]
    Constraint {
        /// The constraint's name, or the columns of a unique index.
        constraint: String,
        /// The engine's error.
        source: Cause,
    },
    /// The database was written by a newer version of the program, which this one can't take over
    /// from. Nothing was touched.
    #[error(
        "the database is at schema version {database}{}, and this program knows versions up to {supported}; {}",
        by(.program.as_ref()),
        instead(.program.is_some(), .copy.as_deref())
    )]
    TooNew {
        /// The database's version.
        database: i64,
        /// The newest version that this program knows.
        supported: i64,
        /// The program that brought it there, with its path; `None` where it did not say.
        program: Option<String>,
        /// The newest copy of an earlier version beside it that this program can use; `None` where
        /// there is none.
        copy: Option<PathBuf>,
    },
    /// The database engine is older than what is known to be safe.
    #[error("{engine} {found} is too old; {needed} or newer is needed")]
    EngineTooOld {
        /// The engine, such as `SQLite`.
        engine: &'static str,
        /// The version at hand.
        found: String,
        /// The oldest version that will do.
        needed: &'static str,
    },
    /// A file could not be used.
    #[error("{doing} {path}{}", remedy_io(source))]
    Io {
        /// What was tried, such as `cannot create`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: Arc<std::io::Error>,
    },
    /// The database engine failed.
    #[error("the database failed while {doing}{}", remedy(source.as_ref()))]
    Engine {
        /// What was tried.
        doing: &'static str,
        /// True where the same may work in a moment: locked by somebody else.
        transient: bool,
        /// The engine's error.
        source: Cause,
    },
    /// A fault of the program itself; the database is unharmed.
    #[error("internal fault in the store: {0}")]
    Internal(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

fn by(program: Option<&String>) -> String {
    program.map(|program| format!(", brought there by {program}")).unwrap_or_default()
}

fn instead(known: bool, copy: Option<&Path>) -> String {
    let newer = if known { "use that program or a newer one" } else { "use a newer program" };
    match copy {
        Some(copy) => format!(
            "{newer}, or go back to {} with `orch db return`, which refuses to lose anything",
            copy.display()
        ),
        None => format!("{newer}, or restore a backup from before"),
    }
}

impl StoreError {
    /// True where the same operation may work in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Engine { transient: true, .. })
    }

    pub(crate) fn not_found(what: &'static str, id: &impl ToString) -> Self {
        Self::NotFound { what, id: id.to_string() }
    }

    pub(crate) fn conflict(what: &impl ToString, reason: impl Into<String>) -> Self {
        Self::Conflict { what: what.to_string(), reason: reason.into() }
    }

    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), source: Arc::new(source) }
    }
}

/// Short for what every operation returns.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;
