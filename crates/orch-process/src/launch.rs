//! Starts a supervisor that outlives the caller.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use orch_core::process::ProcessIdentity;
use orch_core::redact::Masks;
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::{Deserialize, Serialize};

use crate::run_dir::RunDir;
use crate::spec::RunSpec;
use crate::{claim, fsio, masking};

/// Why a run could not be launched. After any of these the run may still be on its way;
/// [`crate::revoke`] settles whether it has started.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// The run directory or a file in it can't be written.
    #[error("the run directory {} can't be prepared", path.display())]
    Prepare {
        /// The directory.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// Somebody has taken the claim: this run was launched before, or revoked.
    #[error("the run in {} was started or revoked before; use a new run id", path.display())]
    AlreadyClaimed {
        /// The run directory.
        path: PathBuf,
    },
    /// The supervisor's program can't be executed.
    #[error("the supervisor {} can't be started", program.display())]
    Program {
        /// The program.
        program: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The supervisor ended, or kept silent for 30 s, before it was ready.
    #[error("the supervisor of {} did not get ready: {detail}", path.display())]
    NotReady {
        /// The run directory.
        path: PathBuf,
        /// What it wrote to `supervisor.err`, or that it wrote nothing.
        detail: String,
    },
}

/// What a supervisor tells its launcher, as one line on the launcher's pipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handshake {
    /// It has the claim and its identity is on disk.
    Ready(ProcessIdentity),
    /// Somebody else has the claim; it has ended without doing anything.
    Refused,
}

/// How long a supervisor may take to get ready; it needs a few milliseconds, a starved machine
/// with a slow disk some seconds.
const READY_PATIENCE: Duration = Duration::from_secs(30);
/// The longest handshake: an identity is some 150 bytes.
const HANDSHAKE_BYTES: u64 = 4096;
/// How much of `supervisor.err` is quoted in an error.
const DETAIL_CHARS: usize = 2000;

/// Writes the run's specification and starts its supervisor as `<program> run-supervisor <dir>`,
/// which must end in [`crate::run_supervisor_main`], and tells it through a pipe what to mask in the
/// output: no secret is written down for that. Returns the supervisor's identity once it has
/// the claim; the child is started right after. Leaves no process for the caller to reap.
pub fn launch(
    program: &Path,
    dir: &RunDir,
    spec: &RunSpec,
    masks: &Masks,
) -> Result<ProcessIdentity, LaunchError> {
    prepare(dir, spec)?;
    let not_ready = |detail| LaunchError::NotReady { path: dir.path().to_owned(), detail };
    let mut launcher = start(program, dir)?;
    if let Some(pipe) = launcher.stdin.take() {
        // One that has ended already says why below.
        let _ = masking::tell(pipe, masks);
    }
    let answer = match launcher.stdout.take() {
        Some(pipe) => read_handshake(pipe),
        None => Err(io::Error::other("no pipe to the supervisor")),
    };
    let reaped = if answer.is_ok() { launcher.wait() } else { end(&mut launcher) };
    match (answer, reaped) {
        (Ok(Some(Handshake::Ready(identity))), Ok(_)) => Ok(identity),
        (Ok(Some(Handshake::Refused)), _) => {
            Err(LaunchError::AlreadyClaimed { path: dir.path().to_owned() })
        }
        (Ok(None), _) => Err(not_ready(complaint(dir))),
        (Err(error), _) | (_, Err(error)) => Err(not_ready(error.to_string())),
    }
}

fn prepare(dir: &RunDir, spec: &RunSpec) -> Result<(), LaunchError> {
    let path = || dir.path().to_owned();
    dir.create().map_err(|source| LaunchError::Prepare { path: path(), source })?;
    if claim::is_taken(dir) {
        return Err(LaunchError::AlreadyClaimed { path: path() });
    }
    serde_json::to_vec(spec)
        .map_err(io::Error::from)
        .and_then(|content| fsio::publish(&dir.spec(), &content))
        .map_err(|source| LaunchError::Prepare { path: path(), source })
}

/// The supervisor gets nothing of our environment: it needs none, and ours may hold secrets or the
/// mark of a run that we work in ourselves.
fn start(program: &Path, dir: &RunDir) -> Result<Child, LaunchError> {
    let complaints = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(dir.supervisor_err())
        .map_err(|source| LaunchError::Prepare { path: dir.path().to_owned(), source })?;
    Command::new(program)
        .arg("run-supervisor")
        .arg(dir.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(complaints)
        .spawn()
        .map_err(|source| LaunchError::Program { program: program.to_owned(), source })
}

/// Kills and reaps a launcher that did not answer; it is our own child, so its pid is its own.
fn end(launcher: &mut Child) -> io::Result<std::process::ExitStatus> {
    launcher.kill()?;
    launcher.wait()
}

/// Reads until the supervisor closes the pipe; `None` if it said nothing intelligible.
fn read_handshake(mut pipe: ChildStdout) -> io::Result<Option<Handshake>> {
    let deadline = Instant::now() + READY_PATIENCE;
    let mut line = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() };
        let mut fds = [PollFd::new(&pipe, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(0) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "it kept silent for 30 s"));
            }
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let mut chunk = [0; 512];
        let count = pipe.read(&mut chunk)?;
        line.extend_from_slice(&chunk[..count]);
        if count == 0 || line.contains(&b'\n') || line.len() as u64 > HANDSHAKE_BYTES {
            return Ok(serde_json::from_slice(&line).ok());
        }
    }
}

fn complaint(dir: &RunDir) -> String {
    match fsio::read_state(&dir.supervisor_err()) {
        Ok(Some(content)) if !content.is_empty() => {
            let text = String::from_utf8_lossy(&content);
            let skip = text.chars().count().saturating_sub(DETAIL_CHARS);
            text.chars().skip(skip).collect::<String>().trim().to_owned()
        }
        _ => "it ended without a word".to_owned(),
    }
}
