//! Who serves a state directory now: the process that holds its lock.

use std::fs::{OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use orch_core::process::ProcessIdentity;
use orch_process::identity;

use crate::prefix::read_pid;

/// A running service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its process.
    pub process: ProcessIdentity,
    /// The program that it runs; `None` where that can't be read.
    pub program: Option<PathBuf>,
}

/// Who serves the state directory; `None` where nobody does. The lock is tried for a moment only,
/// for which a starting service waits.
pub(crate) fn holder(home: &Path) -> Option<Holder> {
    let mut file = OpenOptions::new().read(true).write(true).open(home.join("orch.lock")).ok()?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {}
        _ => return None,
    }
    let process = identity::of(read_pid(&mut file)?).ok().flatten()?;
    let program = std::fs::read_link(format!("/proc/{}/exe", process.pid)).ok();
    Some(Holder { process, program })
}
