//! Why a script can't be played.

use super::script::MAX_SCRIPT;

/// A script can't be played. The caller, which knows the file, puts its name before the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// It is longer than any script that a person wrote.
    #[error("the script has {0} bytes; at most {MAX_SCRIPT} are read")]
    TooLong(usize),
    /// It is not TOML.
    #[error("line {line}: {message}")]
    Toml {
        /// The line, from 1.
        line: usize,
        /// What the TOML reader says.
        message: String,
    },
    /// It is TOML, but not a script.
    #[error("line {line}: {message}")]
    Invalid {
        /// The line, from 1.
        line: usize,
        /// What is wrong, with its remedy.
        message: String,
    },
}
