//! A configured command: a string for the shell, or an argument vector.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A command as configured; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum CommandLine {
    /// Runs under `sh -c`.
    Shell(String),
    /// Runs as it stands, no shell implied.
    Argv(Vec<String>),
}

impl CommandLine {
    /// The argument vector to execute.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Shell(text) => vec!["sh".to_owned(), "-c".to_owned(), text.clone()],
            Self::Argv(argv) => argv.clone(),
        }
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell(text) => f.write_str(text),
            Self::Argv(argv) => write!(f, "{argv:?}"),
        }
    }
}
