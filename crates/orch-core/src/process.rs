//! What a process *is* across restarts, and how a supervised one ended. Pure data: the process
//! floor observes, this floor judges.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The only way to name a process: a pid alone is reused, so it counts only together with the
/// boot it belongs to and the moment it started (S3).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// `/proc/sys/kernel/random/boot_id`, made one with the pid namespace it was read in.
    pub boot_id: String,
    /// The process id in that namespace.
    pub pid: u32,
    /// Start time in clock ticks since boot, field 22 of `/proc/<pid>/stat`.
    pub start_time: u64,
}

/// How a supervised run ended, as its supervisor saw it: the content of `exit.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunExit {
    /// What ended it.
    pub cause: ExitCause,
    /// When the child was started.
    pub started_at: Timestamp,
    /// When the last process of the tree was gone.
    pub finished_at: Timestamp,
    /// The last lines of standard output, at most 64 KiB.
    pub stdout_tail: String,
    /// The last lines of standard error, at most 64 KiB.
    pub stderr_tail: String,
    /// Lines of output seen, whether kept in the log or not.
    pub lines: u64,
    /// Descendants that were still alive when the child had ended and were killed.
    pub survivors_killed: u32,
}

/// What ended a supervised process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExitCause {
    /// The child exited by itself.
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// The child was ended by a signal that the supervisor did not send.
    Signaled {
        /// The signal's number.
        signal: i32,
    },
    /// The absolute limit passed; the tree was killed.
    TimedOut {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// Nothing was printed for the stall limit; the tree was killed.
    Stalled {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// It took more steps than allowed, or the same one again and again; the tree was killed.
    Looping {
        /// How many.
        steps: u32,
        /// Whether they were the same one in a row.
        same: bool,
    },
    /// It took up more of the disk than it may; the tree was killed.
    OverDisk {
        /// The limit in bytes.
        limit_bytes: u64,
        /// What it took up when that was seen.
        used_bytes: u64,
    },
    /// Somebody asked for the end; the tree was killed.
    Cancelled,
    /// The program could not be started at all.
    SpawnFailed {
        /// The system's words, such as `No such file or directory`.
        message: String,
        /// True where the program or its interpreter does not exist or may not be executed.
        missing: bool,
    },
}

/// How a supervisor counts the steps of an agent in its standard output (S6), by looking for texts
/// and without understanding them: the limit has to hold while the service is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepWatch {
    /// A line that holds all of these is a step.
    pub marks: Vec<String>,
    /// The JSON key whose value, in such a line, says what the step does; `None` where steps are
    /// not compared.
    pub same: Option<String>,
    /// Steps after which the run is ended; `None` is no limit.
    pub limit: Option<u32>,
    /// Steps that do the same in a row after which it is ended; `None` is no limit.
    pub repeats: Option<u32>,
}

/// How much of the disk a run may take up (S6). Its supervisor counts, so that the limit holds while
/// the service is dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskLimit {
    /// The folders that count, none below another.
    pub roots: Vec<PathBuf>,
    /// What lies in them together, in bytes.
    pub bytes: u64,
}

/// A signal that asks a process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Polite {
    /// SIGTERM.
    Term,
    /// SIGINT.
    Int,
}
