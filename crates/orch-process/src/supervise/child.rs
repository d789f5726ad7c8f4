//! Starts the child.
#![expect(unsafe_code, reason = "a hook between fork and exec has no safe form")]

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use orch_core::process::ExitCause;

use super::signals::restore_defaults;
use crate::spec::{MARK, RunSpec};

/// Starts the child in a session of its own, with exactly the environment of the specification and
/// the mark.
pub(super) fn start(spec: &RunSpec) -> Result<Child, ExitCause> {
    let (program, arguments) =
        spec.argv.split_first().ok_or_else(|| failed("the command line is empty".into()))?;
    let stdin = stdin(spec)?;
    if !spec.cwd.is_dir() {
        let cwd = spec.cwd.display();
        return Err(failed(format!("the working directory {cwd} does not exist")));
    }
    let mut command = Command::new(program);
    command
        .args(arguments)
        .current_dir(&spec.cwd)
        .env_clear()
        .envs(&spec.env)
        .env(MARK, spec.run_id.as_str())
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // SAFETY: the hook makes only async-signal-safe calls and allocates nothing.
    unsafe {
        command.pre_exec(become_leader);
    }
    command.spawn().map_err(|error| ExitCause::SpawnFailed {
        message: format!("{program}: {}", plain(&error)),
        missing: is_missing(&error),
    })
}

/// Runs in the child between fork and exec.
fn become_leader() -> io::Result<()> {
    restore_defaults()?;
    rustix::process::setsid()?;
    Ok(())
}

fn stdin(spec: &RunSpec) -> Result<Stdio, ExitCause> {
    let Some(path) = &spec.stdin else { return Ok(Stdio::null()) };
    let file = File::open(path)
        .map_err(|error| failed(format!("standard input {}: {}", path.display(), plain(&error))))?;
    Ok(file.into())
}

fn failed(message: String) -> ExitCause {
    ExitCause::SpawnFailed { message, missing: false }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
        || error.raw_os_error() == Some(libc::ENOTDIR)
}

/// The system's words without the number that Rust appends.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
