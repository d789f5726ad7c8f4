//! Signals to processes named by pid *and* start time, so that a pid reused between looking and
//! signalling is never hit.

use std::io;
use std::os::fd::OwnedFd;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::procfs;

/// A handle on exactly this process, which stays on it after its end; `None` if it is gone.
pub(crate) fn open(pid: u32, start_time: u64) -> io::Result<Option<OwnedFd>> {
    let Some(raw) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return Ok(None) };
    let handle = match pidfd_open(raw, PidfdFlags::empty()) {
        Ok(handle) => handle,
        Err(rustix::io::Errno::SRCH) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    // Compared after the handle was taken: what the handle is on now is what the table shows now.
    let same = procfs::stat(pid)?.is_some_and(|stat| stat.start_time == start_time);
    Ok(same.then_some(handle))
}

/// Sends a signal to exactly this process; true if it was there to be signalled.
pub(crate) fn send(pid: u32, start_time: u64, signal: Signal) -> bool {
    match open(pid, start_time) {
        Ok(Some(handle)) => pidfd_send_signal(handle, signal).is_ok(),
        Ok(None) => false,
        Err(_) => send_by_pid(pid, start_time, signal),
    }
}

/// For a kernel without process handles, or when descriptors have run out: a window of some
/// microseconds remains in which the pid might be reused.
fn send_by_pid(pid: u32, start_time: u64, signal: Signal) -> bool {
    let same = procfs::stat(pid).ok().flatten().is_some_and(|s| s.start_time == start_time);
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    same && raw.is_some_and(|raw| kill_process(raw, signal).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reused_pid_is_not_signalled() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let stat = procfs::stat(child.id()).unwrap().unwrap();
        assert!(!send(child.id(), stat.start_time + 1, Signal::KILL));
        assert!(!send_by_pid(child.id(), stat.start_time + 1, Signal::KILL));
        assert!(child.try_wait().unwrap().is_none(), "a stranger was killed");
        assert!(send(child.id(), stat.start_time, Signal::KILL));
        child.wait().unwrap();
        assert!(!send(child.id(), stat.start_time, Signal::KILL));
        assert!(!send(0, 0, Signal::KILL) && !send(u32::MAX, 0, Signal::KILL));
    }
}
