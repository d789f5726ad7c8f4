//! What a command comes to: one table from the kind of an error to its hint and exit code.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use orch_api::ClientError;
use orch_core::ids::IdError;
use orch_core::settings::SettingsErrors;
use orch_engine::{HomeError, OperateError};
use orch_git::GitError;
use orch_launcher::LauncherError;
use orch_store::StoreError;

use crate::output::{Style, plain_lines};

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// The thing asked for failed.
    Failed = 1,
    /// The command line or the configuration is wrong; for a gate: refused.
    Usage = 2,
    /// What was named is not there.
    NotFound = 3,
    /// The service can't be reached.
    Unreachable = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that knows its exit code, made where a command itself finds something wrong.
#[derive(Debug)]
pub struct Stop {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Stop {
    /// The thing asked for failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: Exit::Failed, message: message.into(), hint: None }
    }

    /// The command line or the configuration is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), hint: None }
    }

    /// What was named is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { exit: Exit::NotFound, message: message.into(), hint: None }
    }

    /// Adds the remedy.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Stop {}

/// What the table says of one error.
#[derive(Debug, PartialEq, Eq)]
struct Ruling {
    exit: Exit,
    hint: Option<String>,
}

/// Writes an error with its causes and its remedy to stderr and gives the exit code. A reader of
/// our output that went away is not an error.
pub fn report(error: &anyhow::Error, style: Style) -> ExitCode {
    if is_closed_pipe(error) {
        return Exit::Done.into();
    }
    let ruling = rule(error);
    let mut lines = vec![format!("{} {}", style.red("error:"), plain_lines(&error.to_string()))];
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !last.contains(&cause) {
            lines.push(format!("  because: {}", plain_lines(&cause)));
        }
        last = cause;
    }
    if let Some(hint) = &ruling.hint {
        lines.push(format!("{} {}", style.cyan("hint:"), plain_lines(hint)));
    }
    // Nowhere is left to say that stderr is gone; the exit code still tells.
    let _ = writeln!(io::stderr(), "{}", lines.join("\n"));
    ruling.exit.into()
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Finds the first error of the chain that the table knows; an unknown one is a plain failure.
fn rule(error: &anyhow::Error) -> Ruling {
    error.chain().find_map(row).unwrap_or(Ruling { exit: Exit::Failed, hint: None })
}

/// The table: one row per kind of error that reaches the edge.
fn row(error: &(dyn Error + 'static)) -> Option<Ruling> {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return Some(Ruling { exit: stop.exit, hint: stop.hint.clone() });
    }
    let ruled = |exit, hint: Option<&str>| Some(Ruling { exit, hint: hint.map(str::to_owned) });
    if let Some(error) = error.downcast_ref::<ClientError>() {
        return match error {
            ClientError::Unreachable { .. } | ClientError::Broken { .. } => {
                ruled(Exit::Unreachable, None)
            }
            ClientError::Unsendable { .. } => {
                ruled(Exit::Usage, Some("see ORCH_BIND and ORCH_API_TOKEN"))
            }
            ClientError::Unexpected { .. } => {
                ruled(Exit::Unreachable, Some("another program listens there; see ORCH_BIND"))
            }
            ClientError::Problem(problem) => match problem.status {
                400 | 413 | 415 | 422 => ruled(Exit::Usage, None),
                401 | 403 => ruled(Exit::Usage, Some("set ORCH_API_TOKEN to the service's token")),
                404 => ruled(Exit::NotFound, None),
                503 => ruled(Exit::Unreachable, Some("try again in a moment; see `orch doctor`")),
                _ => ruled(Exit::Failed, None),
            },
        };
    }
    if error.is::<SettingsErrors>() || error.is::<IdError>() {
        return ruled(Exit::Usage, None);
    }
    if let Some(error) = error.downcast_ref::<GitError>() {
        return match error {
            GitError::NotARepository { .. } => {
                ruled(Exit::Usage, Some("run it in a git repository, or make one: git init"))
            }
            _ => ruled(Exit::Failed, None),
        };
    }
    if let Some(error) = error.downcast_ref::<OperateError>() {
        return match error {
            OperateError::NotFound { .. } => ruled(Exit::NotFound, None),
            OperateError::Invalid { .. } | OperateError::Config { .. } => ruled(Exit::Usage, None),
            _ => ruled(Exit::Failed, None),
        };
    }
    if let Some(error) = error.downcast_ref::<HomeError>() {
        return match error {
            HomeError::InUse { .. } => {
                ruled(Exit::Failed, Some("stop that service first, or use another ORCH_HOME"))
            }
            HomeError::Io { .. } => {
                ruled(Exit::Failed, Some("set ORCH_HOME to a directory that this user can write"))
            }
        };
    }
    if let Some(error) = error.downcast_ref::<LauncherError>() {
        return match error {
            LauncherError::NoSuchVersion(_) | LauncherError::NothingInstalled { .. } => {
                ruled(Exit::NotFound, None)
            }
            _ => ruled(Exit::Failed, None),
        };
    }
    if let Some(error) = error.downcast_ref::<StoreError>() {
        return match error {
            StoreError::NotFound { .. } => ruled(Exit::NotFound, None),
            StoreError::TooNew { .. } => ruled(Exit::Usage, None),
            _ => ruled(Exit::Failed, None),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_known_error_of_the_chain_rules() {
        let stop = || Stop::not_found("no task X-1").hint("see `orch task list`");
        let ruling = Ruling { exit: Exit::NotFound, hint: Some("see `orch task list`".into()) };
        assert_eq!(rule(&stop().into()), ruling);
        assert_eq!(rule(&anyhow::Error::from(stop()).context("while asking")), ruling);
        let unknown = anyhow::anyhow!("disk full");
        assert_eq!(rule(&unknown), Ruling { exit: Exit::Failed, hint: None });
    }

    #[test]
    fn a_reader_that_went_away_is_no_error() {
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_closed_pipe(&anyhow::Error::from(gone).context("printing")));
        assert!(!is_closed_pipe(&io::Error::from(io::ErrorKind::NotFound).into()));
    }
}
