//! What this machine lets us do: mounts of our own, pid namespaces of our own.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// Set in the environment once this program runs in a mount namespace of its own.
const INSIDE: &str = "ORCH_TORTURE_OWN_MOUNTS";

/// Starts this program once more in a mount namespace of its own, so that what it mounts goes with
/// it, however it ends. Returns true inside, false where the machine does not allow it.
pub fn own_mounts() -> anyhow::Result<bool> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(true);
    }
    if !succeeds(Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/mnt"]))
    {
        return Ok(false);
    }
    let program = std::env::current_exe().context("this program's own path")?;
    let failure = Command::new("unshare")
        .args(["--mount", "--"])
        .arg(program)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .exec();
    Err(failure).context("unshare --mount")
}

/// Whether fresh pid namespaces can be made.
pub fn pid_namespaces() -> bool {
    succeeds(Command::new("unshare").args(["--fork", "--pid", "--mount-proc", "true"]))
}

/// A small disk of its own at this place, which is made.
pub fn mount_small_disk(at: &Path, megabytes: u32) -> anyhow::Result<()> {
    std::fs::create_dir_all(at)?;
    let size = format!("size={megabytes}m");
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", &size, "orch-torture"]).arg(at);
    if succeeds(&mut mount) {
        return Ok(());
    }
    bail!("a tmpfs can't be mounted at {}", at.display())
}

/// Takes the small disk away; whoever still stands on it keeps it until he goes.
pub fn unmount(at: &Path) {
    succeeds(Command::new("umount").arg("-l").arg(at));
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
