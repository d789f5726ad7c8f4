//! Collects every process that ends under the supervisor: its child and adopted orphans.

use rustix::process::{Pid, WaitOptions, WaitStatus, wait};

/// Remembers how the child ended while reaping everybody.
#[derive(Debug)]
pub(super) struct Reaper {
    child: Pid,
    status: Option<WaitStatus>,
}

impl Reaper {
    /// Watches for this child.
    pub(super) fn new(child: Pid) -> Self {
        Self { child, status: None }
    }

    /// Reaps what has ended. True while the tree has processes: as the supervisor is a subreaper,
    /// any descendant has an ancestor that is its direct child.
    pub(super) fn reap(&mut self) -> bool {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == self.child => self.status = Some(status),
                Ok(Some(_)) | Err(rustix::io::Errno::INTR) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// How the child ended; `None` while it runs.
    pub(super) fn status(&self) -> Option<WaitStatus> {
        self.status
    }
}
