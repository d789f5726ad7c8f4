//! Names a process so that a reused pid, another boot or another pid namespace can never be taken
//! for it, and asks whether the process so named still lives.

use std::io;
use std::os::unix::fs::MetadataExt;

use orch_core::process::ProcessIdentity;

use crate::procfs;

/// Whether a named process still does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The very process is there and may act.
    Alive,
    /// It has ended and its parent has not reaped it; it will never act again.
    Zombie,
    /// There is no such process: ended, its pid reused, another boot, or another pid namespace.
    Gone,
}

/// The identity of the calling process.
pub fn current() -> io::Result<ProcessIdentity> {
    of(std::process::id())?
        .ok_or_else(|| io::Error::other("/proc does not show this process; is it mounted?"))
}

/// The identity of the process that has this pid now, a zombie included; `None` if there is none.
pub fn of(pid: u32) -> io::Result<Option<ProcessIdentity>> {
    let Some(stat) = procfs::stat(pid)? else { return Ok(None) };
    Ok(Some(ProcessIdentity { boot_id: boot_id()?, pid, start_time: stat.start_time }))
}

/// Whether the process so named lives. Where `/proc` can't be read the answer is `Alive`: a run
/// must not be taken for dead, and started a second time, because we failed to look.
pub fn liveness(identity: &ProcessIdentity) -> Liveness {
    match boot_id() {
        Ok(boot_id) if boot_id != identity.boot_id => return Liveness::Gone,
        Ok(_) => {}
        Err(_) => return Liveness::Alive,
    }
    match procfs::stat(identity.pid) {
        Ok(Some(stat)) if stat.start_time != identity.start_time => Liveness::Gone,
        Ok(Some(stat)) if stat.dead => Liveness::Zombie,
        Ok(Some(_)) | Err(_) => Liveness::Alive,
        Ok(None) => Liveness::Gone,
    }
}

/// The boot and the pid namespace that pids are counted in, as one text: a container that restarts
/// on a machine that did not has the same boot id and starts its pids again from 1.
pub(crate) fn boot_id() -> io::Result<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let namespace = std::fs::metadata("/proc/self/ns/pid")?.ino();
    Ok(format!("{}:{namespace}", boot.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_process_is_alive() {
        let me = current().unwrap();
        assert_eq!(liveness(&me), Liveness::Alive);
        let reused = ProcessIdentity { start_time: me.start_time + 1, ..me.clone() };
        assert_eq!(liveness(&reused), Liveness::Gone);
        let other_boot = ProcessIdentity { boot_id: "another:1".into(), ..me.clone() };
        assert_eq!(liveness(&other_boot), Liveness::Gone);
        let no_namespace =
            ProcessIdentity { boot_id: me.boot_id.split(':').next().unwrap().into(), ..me.clone() };
        assert_eq!(liveness(&no_namespace), Liveness::Gone);
        let nobody = ProcessIdentity { pid: u32::MAX, ..me };
        assert_eq!(liveness(&nobody), Liveness::Gone);
    }

    #[test]
    fn nobody_has_an_impossible_pid() {
        assert_eq!(of(0).unwrap(), None);
        assert_eq!(of(u32::MAX).unwrap(), None);
    }
}
