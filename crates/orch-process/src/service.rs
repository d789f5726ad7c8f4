//! What a manager of services needs: to end exactly one process, to know what runs from a folder,
//! and to reap what was left to it as the first process of a container.

use std::path::Path;

use orch_core::process::ProcessIdentity;
use rustix::process::{Pid, Signal, WaitOptions, waitpid};

use crate::procfs::{self, Stat};
use crate::signal;

/// Asks exactly this process to end; true if it was there to be asked. One that somebody stopped
/// hears it too.
pub fn terminate(process: &ProcessIdentity) -> bool {
    let asked = signal::send(process.pid, process.start_time, Signal::TERM);
    signal::send(process.pid, process.start_time, Signal::CONT);
    asked
}

/// Kills exactly this process, and none of its children; true if it was there.
pub fn kill(process: &ProcessIdentity) -> bool {
    signal::send(process.pid, process.start_time, Signal::KILL)
}

/// Whether some process that can be seen runs a program out of this folder.
pub fn runs_from(folder: &Path) -> bool {
    let Ok(mut pids) = procfs::pids() else { return true };
    pids.any(|pid| {
        std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.starts_with(folder))
    })
}

/// Reaps children that have ended, but not the one that somebody else waits for: the first process
/// of a pid namespace gets everybody's orphans.
pub fn reap_orphans(except: Option<u32>) {
    let Ok(table) = procfs::snapshot() else { return };
    for pid in orphans(&table, std::process::id(), except) {
        // Gone or not, it is looked at again.
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

fn orphans(table: &[Stat], own: u32, except: Option<u32>) -> Vec<Pid> {
    let ended = table.iter().filter(|stat| stat.parent == own && stat.dead);
    let left = ended.map(|stat| stat.pid).filter(|pid| Some(*pid) != except);
    left.filter_map(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_from_a_folder_is_seen() {
        let program = std::env::current_exe().unwrap();
        assert!(runs_from(program.parent().unwrap()));
        assert!(!runs_from(Path::new("/no/such/folder")));
    }

    #[test]
    fn only_our_own_ended_children_are_orphans_and_not_the_one_that_is_waited_for() {
        let row = |pid, parent, dead| Stat { pid, parent, start_time: 1, dead, stopped: false };
        let table = [row(2, 1, true), row(3, 1, false), row(4, 2, true), row(5, 1, true)];
        let pids: Vec<i32> =
            orphans(&table, 1, Some(5)).iter().map(|pid| pid.as_raw_nonzero().get()).collect();
        assert_eq!(pids, [2]);
    }
}
