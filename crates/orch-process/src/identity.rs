//! Names a process so that a reused pid, another boot or another pid namespace can never be taken
//! for it, and asks whether the process so named still lives.

use std::io;
use std::os::unix::fs::MetadataExt;

use orch_core::process::ProcessIdentity;
pub use orch_core::reap::Liveness;
use orch_core::reap::Shown;

use crate::procfs;

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

/// Whether the process so named lives, by the process table as it is now. What can't be read counts
/// as alive.
pub fn liveness(identity: &ProcessIdentity) -> Liveness {
    let shown = match procfs::stat(identity.pid) {
        Ok(Some(stat)) => {
            Shown::Somebody { start_time: stat.start_time, dead: stat.dead, stopped: stat.stopped }
        }
        Ok(None) => Shown::Nobody,
        Err(_) => Shown::Unreadable,
    };
    orch_core::reap::liveness(identity, boot_id().ok().as_deref(), shown)
}

/// Whether the process so named belonged to another boot or another pid namespace than this one, and
/// so ended with it. The number of a namespace may be given again to a later one; but no process of
/// a namespace is older than its first.
pub fn was_elsewhere(identity: &ProcessIdentity) -> bool {
    if boot_id().is_ok_and(|here| here != identity.boot_id) {
        return true;
    }
    matches!(procfs::stat(1), Ok(Some(first)) if first.start_time > identity.start_time)
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
    fn nobody_of_a_namespace_is_older_than_its_first() {
        let me = current().unwrap();
        assert!(!was_elsewhere(&me));
        let first = of(1).unwrap().unwrap();
        assert!(!was_elsewhere(&first));
        let older = ProcessIdentity { start_time: first.start_time.wrapping_sub(1), ..me.clone() };
        assert_eq!(was_elsewhere(&older), first.start_time > 0);
        assert!(was_elsewhere(&ProcessIdentity { boot_id: "another:1".into(), ..me }));
    }

    #[test]
    fn nobody_has_an_impossible_pid() {
        assert_eq!(of(0).unwrap(), None);
        assert_eq!(of(u32::MAX).unwrap(), None);
    }
}
