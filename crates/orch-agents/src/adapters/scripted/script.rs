//! A script as values.

use std::time::Duration;

use crate::events::Usage;

/// The longest script, in bytes: a person's script has a hundredth of it.
pub const MAX_SCRIPT: usize = 1024 * 1024;

/// A script.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// Whether an agent without a matching entry writes the passing artifacts of its stage.
    pub default_artifacts: bool,
    /// The entries; the first that matches is played.
    pub entries: Vec<Entry>,
}

/// What is played under which conditions; a condition that is `None` always holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The line that it begins on.
    pub line: usize,
    /// The task's key or title, `*` standing for any text.
    pub task: Option<String>,
    /// The role.
    pub role: Option<String>,
    /// The stage.
    pub stage: Option<String>,
    /// Which attempts of the task at the stage.
    pub attempts: Option<Attempts>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

/// Attempts of a task at a stage, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempts {
    /// This one only.
    Only(u32),
    /// This one and all that follow.
    From(u32),
}

impl Attempts {
    /// Whether the attempt is one of these.
    pub fn contains(self, attempt: u32) -> bool {
        match self {
            Self::Only(only) => attempt == only,
            Self::From(first) => attempt >= first,
        }
    }
}

/// One thing that the agent does.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The line that it begins on.
    pub line: usize,
    /// What is done.
    pub action: Action,
}

/// A text that is filled in when it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// As written in the script.
    pub source: String,
    /// True where it is used as it is written, braces included.
    pub raw: bool,
}

/// What a step does. Paths are relative to the worktree.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Writes a file, in place of what it held.
    Write {
        /// Where.
        path: Text,
        /// What.
        text: Text,
        /// Its permissions; `None` leaves them as they are.
        mode: Option<u32>,
    },
    /// Adds to the end of a file, which need not be there.
    Append {
        /// Where.
        path: Text,
        /// What.
        text: Text,
        /// Its permissions; `None` leaves them as they are.
        mode: Option<u32>,
    },
    /// Replaces what stands exactly once in a file.
    Patch {
        /// Where.
        path: Text,
        /// What stands there; never empty, never filled in.
        find: String,
        /// What is put in its place.
        replace: Text,
    },
    /// Deletes a file.
    Delete {
        /// Where.
        path: Text,
    },
    /// Writes an artifact of the task.
    Artifact {
        /// Where, relative to the artifact folder.
        path: Text,
        /// What.
        text: Text,
    },
    /// Runs a command in the worktree.
    Run {
        /// The program and its arguments; never empty.
        argv: Vec<String>,
        /// Whether the agent goes on after a failure.
        allow_failure: bool,
    },
    /// Waits.
    Sleep(Duration),
    /// Prints a line to standard output.
    Print(Text),
    /// Prints a line to standard error.
    Eprint(Text),
    /// Reports what it consumed.
    Usage(Usage),
    /// Reports that its provider asks for patience.
    RateLimited(Duration),
    /// Ends the agent with an exit code.
    Exit(u8),
    /// Ends the agent by a signal.
    Crash,
    /// Goes silent and never ends.
    Hang,
    /// Leaves a process behind that left the session and ignores polite signals.
    SpawnStubborn(Duration),
    /// Waits until a file is there.
    WaitForFile {
        /// Which.
        path: Text,
        /// How long at most; the step fails after it.
        timeout: Duration,
    },
}
