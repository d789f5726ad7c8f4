//! Starts the child.
#![expect(unsafe_code, reason = "a hook between fork and exec has no safe form")]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use orch_core::process::ExitCause;

use super::signals::restore_defaults;
use crate::cgroup::Leaf;
use crate::spec::{MARK, RunSpec};

/// Starts the child in a session of its own and, where there is one, in its cgroup leaf, with
/// exactly the environment of the specification and the mark.
pub(super) fn start(spec: &RunSpec, leaf: Option<&Leaf>) -> Result<Child, ExitCause> {
    let (program, arguments) =
        spec.argv.split_first().ok_or_else(|| failed("the command line is empty".into()))?;
    let stdin = stdin(spec)?;
    if !spec.cwd.is_dir() {
        let cwd = spec.cwd.display();
        return Err(failed(format!("the working directory {cwd} does not exist")));
    }
    let entrance = leaf.and_then(Leaf::entrance);
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
    let enter = move || become_leader(entrance.as_ref());
    // SAFETY: the hook makes only async-signal-safe calls and allocates nothing.
    unsafe {
        command.pre_exec(enter);
    }
    command.spawn().map_err(|error| ExitCause::SpawnFailed {
        message: format!("{program}: {}", plain(&error)),
        missing: is_missing(&error),
    })
}

/// Runs in the child between fork and exec.
fn become_leader(entrance: Option<&File>) -> io::Result<()> {
    restore_defaults()?;
    rustix::process::setsid()?;
    if let Some(entrance) = entrance {
        // Being outside of the leaf is no reason not to run.
        // SAFETY: `write` is async-signal-safe; the buffer is one static byte, the descriptor open.
        unsafe {
            libc::write(entrance.as_raw_fd(), b"0".as_ptr().cast(), 1);
        }
    }
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
