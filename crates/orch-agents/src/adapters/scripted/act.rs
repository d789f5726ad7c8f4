//! What a step does to the world.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::perform::ScriptContext;

/// How often a file that is waited for is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// The exit code by which the starter of a stubborn process says that it has no `setsid`.
const NO_SETSID: i32 = 9;
/// Leaves the session in a subshell whose parent then ends. Ignored signals stay ignored over
/// both `exec`s.
const STUBBORN: &str = r#"command -v setsid >/dev/null 2>&1 || exit 9
( trap '' TERM INT HUP QUIT; exec setsid sleep "$1" ) &"#;

/// Writes a file, with the folders above it.
pub(super) fn write(path: &Path, text: &str, mode: Option<u32>) -> io::Result<()> {
    make_parent(path)?;
    fs::write(path, text)?;
    set_mode(path, mode)
}

/// Adds to the end of a file, which need not be there.
pub(super) fn append(path: &Path, text: &str, mode: Option<u32>) -> io::Result<()> {
    make_parent(path)?;
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())?;
    set_mode(path, mode)
}

/// Replaces what stands exactly once in a file.
pub(super) fn patch(path: &Path, find: &str, replace: &str) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    match text.matches(find).count() {
        1 => fs::write(path, text.replacen(find, replace, 1)),
        count => Err(io::Error::other(format!("{find:?} stands there {count} times, not once"))),
    }
}

/// Runs a command in the worktree.
pub(super) fn run(argv: &[String], worktree: &Path) -> io::Result<()> {
    let Some((program, rest)) = argv.split_first() else {
        return Err(io::Error::other("the command is empty"));
    };
    let mut command = Command::new(program);
    let status = command
        .args(rest)
        .current_dir(worktree)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| io::Error::new(error.kind(), format!("{program:?}: {error}")))?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{program:?}: {status}"))) }
}

/// Leaves a process behind that left the session, has no parent here and ignores polite signals.
pub(super) fn spawn_stubborn(time: Duration) -> io::Result<()> {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let status = Command::new("sh")
        .args(["-c", STUBBORN, "sh", &seconds.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    match status.code() {
        Some(0) => Ok(()),
        Some(NO_SETSID) => Err(io::Error::other("there is no setsid program; install util-linux")),
        _ => Err(io::Error::other(status.to_string())),
    }
}

/// Waits until a file is there.
pub(super) fn wait_for_file(path: &Path, timeout: Duration) -> io::Result<()> {
    let begun = Instant::now();
    while !path.exists() {
        if begun.elapsed() >= timeout {
            let waited = orch_core::settings::format_duration(timeout);
            return Err(io::Error::other(format!("{} did not come in {waited}", path.display())));
        }
        thread::sleep(LOOK);
    }
    Ok(())
}

/// The revision that the worktree stands on.
pub(super) fn commit(context: &ScriptContext) -> io::Result<String> {
    let output = Command::new("git")
        .args(["rev-parse", "--verify", "HEAD"])
        .current_dir(&context.worktree)
        .stdin(Stdio::null())
        .output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("the worktree's revision is not known: {}", said.trim())))
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn set_mode(path: &Path, mode: Option<u32>) -> io::Result<()> {
    mode.map_or(Ok(()), |mode| fs::set_permissions(path, Permissions::from_mode(mode)))
}
