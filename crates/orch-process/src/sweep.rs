//! Finds processes by the mark in their environment, wherever they stand in the process table, and
//! kills them: the last net under a run whose supervisor is dead.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::time::{Duration, Instant};

use orch_core::ids::RunId;
use orch_core::process::ProcessIdentity;
use rustix::process::Signal;

use crate::cgroup::Leaf;
use crate::procfs::{self, Stat};
use crate::spec::MARK;
use crate::{identity, signal};

/// The most of a process's environment that is looked at; Linux allows a quarter of the stack
/// limit, 2 MiB as a rule.
const ENVIRON_BYTES: u64 = 8 << 20;
/// How long a sweep goes on against processes that don't die (uninterruptible sleep, or not ours to
/// kill); the caller sees them again in [`marked_processes`].
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause between two looks, for the kernel to end what was killed.
const PAUSE: Duration = Duration::from_millis(2);

/// Kills every process that carries this run's mark, again and again until none is found. Zombies
/// and the calling process are left out. Returns how many were killed.
pub fn sweep(run_id: &RunId) -> usize {
    if let Some(leaf) = Leaf::find(run_id) {
        let killed = sweep_where(&|mark| mark == run_id.as_str());
        leaf.kill();
        leaf.remove();
        return killed;
    }
    sweep_where(&|mark| mark == run_id.as_str())
}

/// The same for every mark that satisfies `wanted`. Ask for marks that are *known* to be ended runs
/// of one's own: a mark that is merely unknown may belong to another service on this machine, or
/// be that of the run in which the caller itself works.
pub fn sweep_where(wanted: &dyn Fn(&str) -> bool) -> usize {
    let deadline = Instant::now() + PATIENCE;
    let mut killed = BTreeSet::new();
    loop {
        let found = marked_where(wanted);
        for stat in &found {
            if signal::send(stat.pid, stat.start_time, Signal::KILL) {
                killed.insert((stat.pid, stat.start_time));
            }
        }
        if found.is_empty() || Instant::now() >= deadline {
            return killed.len();
        }
        std::thread::sleep(PAUSE);
    }
}

/// The living processes that carry this run's mark, the caller excepted.
pub fn marked_processes(run_id: &RunId) -> Vec<ProcessIdentity> {
    let Ok(boot_id) = identity::boot_id() else { return Vec::new() };
    marked_where(&|mark| mark == run_id.as_str())
        .into_iter()
        .map(|Stat { pid, start_time, .. }| ProcessIdentity {
            boot_id: boot_id.clone(),
            pid,
            start_time,
        })
        .collect()
}

pub(crate) fn marked_where(wanted: &dyn Fn(&str) -> bool) -> Vec<Stat> {
    let own = std::process::id();
    let mut environ = Vec::new();
    let mut found = Vec::new();
    for pid in procfs::pids().into_iter().flatten().filter(|pid| *pid != own) {
        // The identity is read before the environment: if the pid is reused in between, the
        // signal, which compares the start time, hits nobody.
        let Ok(Some(stat)) = procfs::stat(pid) else { continue };
        environ.clear();
        let read = File::open(format!("/proc/{pid}/environ"))
            .and_then(|file| file.take(ENVIRON_BYTES).read_to_end(&mut environ));
        if !stat.dead && read.is_ok() && marks(&environ).any(wanted) {
            found.push(stat);
        }
    }
    found
}

/// The values of the mark in an environment block; more than one where a process set it twice.
fn marks(environ: &[u8]) -> impl Iterator<Item = &str> {
    environ.split(|b| *b == 0).filter_map(|entry| {
        let value = entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_found_only_as_a_whole_variable() {
        for (environ, expected) in [
            (&b"A=1\0ORCH_RUN_MARK=r-abcdefg\0B=2\0"[..], vec!["r-abcdefg"]),
            (b"ORCH_RUN_MARK=r-1\0ORCH_RUN_MARK=r-2", vec!["r-1", "r-2"]),
            (b"XORCH_RUN_MARK=r-1\0ORCH_RUN_MARKX=r-1\0A=ORCH_RUN_MARK=r-1\0", vec![]),
            (b"ORCH_RUN_MARK=\xff\xfe\0ORCH_RUN_MARK", vec![]),
            (b"\0\0\0", vec![]),
            (b"", vec![]),
        ] {
            assert_eq!(marks(environ).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_sweep_takes_the_marked_and_nobody_else() {
        let run_id = RunId::from_parts(1, std::process::id().into());
        let sleeper = |mark: &str| {
            std::process::Command::new("sleep").arg("60").env(MARK, mark).spawn().unwrap()
        };
        let mut marked = sleeper(run_id.as_str());
        let mut other = sleeper(&format!("{run_id}-other"));
        assert_eq!(marked_processes(&run_id).len(), 1);
        assert_eq!(sweep(&run_id), 1);
        // Not reaped yet, so it is a zombie now, and that is no survivor.
        assert_eq!(marked_processes(&run_id), []);
        marked.wait().unwrap();
        assert!(other.try_wait().unwrap().is_none(), "a stranger was killed");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
