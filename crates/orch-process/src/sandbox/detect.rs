//! What this machine has to confine runs with.

use std::process::{Command, Stdio};

use super::Enforcer;
use super::confine;

/// What this machine has to confine runs with; the error says what is lacking and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Available {
    /// Bubblewrap.
    pub bubblewrap: Result<(), String>,
    /// Landlock: the version of the kernel's interface.
    pub landlock: Result<u32, String>,
}

impl Available {
    /// The strongest that is there.
    pub fn strongest(&self) -> Option<Enforcer> {
        if self.bubblewrap.is_ok() {
            return Some(Enforcer::Bubblewrap);
        }
        self.landlock.is_ok().then_some(Enforcer::Landlock)
    }
}

/// Tries both: a program that is installed may still be forbidden to make namespaces.
pub fn available() -> Available {
    Available { bubblewrap: bubblewrap(), landlock: confine::version() }
}

fn bubblewrap() -> Result<(), String> {
    let trial =
        ["--ro-bind", "/", "/", "--unshare-pid", "--unshare-net", "--proc", "/proc", "true"];
    let tried = Command::new("bwrap")
        .args(trial)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .output()
        .map_err(|error| format!("bwrap can't be started ({error}); install bubblewrap"))?;
    if tried.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    let said = said.lines().next().unwrap_or("no reason given").trim();
    Err(format!("{said}; allow user namespaces, or run the service where they are allowed"))
}
