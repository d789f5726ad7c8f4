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
/// Where processes come and go faster than they can be listed, a look ends all the same.
const MAX_LISTINGS: u32 = 1000;
/// The pause between two looks, for the kernel to end what was killed.
const PAUSE: Duration = Duration::from_millis(2);

/// Kills every process that carries this run's mark, again and again until none is found. Zombies
/// and the calling process are left out. Returns how many were killed.
pub fn sweep(run_id: &RunId) -> usize {
    let wanted = |mark: &str| mark == run_id.as_str();
    let mut killed = Killed::default();
    let leaf = Leaf::find(run_id);
    if let Some(leaf) = &leaf {
        // First, because it takes the whole tree in one step; looked at before, to be counted.
        for_each_marked(&wanted, &mut |stat| killed.note(stat));
        leaf.kill();
    }
    killed.all_marked(&wanted);
    if let Some(leaf) = &leaf {
        leaf.remove();
    }
    killed.0.len()
}

/// The same for every mark that satisfies `wanted`. Ask for marks that are *known* to be ended runs
/// of one's own: a mark that is merely unknown may belong to another service on this machine, or
/// be that of the run in which the caller itself works.
pub fn sweep_where(wanted: &dyn Fn(&str) -> bool) -> usize {
    let mut killed = Killed::default();
    killed.all_marked(wanted);
    killed.0.len()
}

/// The living processes that carry this run's mark, the caller excepted.
pub fn marked_processes(run_id: &RunId) -> Vec<ProcessIdentity> {
    let Ok(boot_id) = identity::boot_id() else { return Vec::new() };
    let mut found = Vec::new();
    for_each_marked(&|mark| mark == run_id.as_str(), &mut |stat| {
        let Stat { pid, start_time, .. } = *stat;
        found.push(ProcessIdentity { boot_id: boot_id.clone(), pid, start_time });
    });
    found
}

/// Who was killed, by pid and start time.
#[derive(Debug, Default)]
struct Killed(BTreeSet<(u32, u64)>);

impl Killed {
    fn note(&mut self, stat: &Stat) {
        self.0.insert((stat.pid, stat.start_time));
    }

    /// Looks and kills until two looks in a row find nobody and leave nobody new in doubt.
    fn all_marked(&mut self, wanted: &dyn Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        let mut last_doubts: Option<BTreeSet<u32>> = None;
        while Instant::now() < deadline {
            let mut found = false;
            let doubts = for_each_marked(wanted, &mut |stat| {
                found = true;
                if signal::send(stat.pid, stat.start_time, Signal::KILL) {
                    self.note(stat);
                }
            });
            if found {
                last_doubts = None;
                std::thread::sleep(PAUSE);
            } else if last_doubts.is_some_and(|last| doubts.is_subset(&last)) {
                return;
            } else {
                last_doubts = Some(doubts);
            }
        }
    }
}

/// What a process's environment says about the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Marked,
    Unmarked,
    /// It shows no environment: it has none, or it is just between two programs (`execve`).
    Doubtful,
}

/// Shows every living process whose mark is wanted, as it is found: one that forks without rest has
/// to be killed before the look goes on. Returns the pids that are in doubt.
///
/// A listing of `/proc` is of one moment, and the children of those that end before we come to them
/// are not on it. So it is listed again until it holds nobody new; then a chain of processes that
/// fork and exit has shown us a marked or a doubtful one.
pub(crate) fn for_each_marked(
    wanted: &dyn Fn(&str) -> bool,
    visit: &mut dyn FnMut(&Stat),
) -> BTreeSet<u32> {
    let mut seen = BTreeSet::from([std::process::id()]);
    let mut doubts = BTreeSet::new();
    let mut environ = Vec::new();
    for _ in 0..MAX_LISTINGS {
        let listing = procfs::pids().into_iter().flatten();
        let fresh: Vec<u32> = listing.filter(|pid| seen.insert(*pid)).collect();
        if fresh.is_empty() {
            break;
        }
        for pid in fresh {
            match look_twice(pid, wanted, &mut environ) {
                (Look::Marked, Some(stat)) => visit(&stat),
                (Look::Doubtful, Some(_)) => {
                    doubts.insert(pid);
                }
                _ => {}
            }
        }
    }
    doubts
}

/// Looks at the environment, then at the identity, then at the environment again: the pid may have
/// been reused in between, and from the identity on the start time protects a stranger.
fn look_twice(
    pid: u32,
    wanted: &dyn Fn(&str) -> bool,
    environ: &mut Vec<u8>,
) -> (Look, Option<Stat>) {
    if look(pid, wanted, environ) == Look::Unmarked {
        return (Look::Unmarked, None);
    }
    let stat = procfs::stat(pid).ok().flatten().filter(|stat| !stat.dead);
    (look(pid, wanted, environ), stat)
}

fn look(pid: u32, wanted: &dyn Fn(&str) -> bool, environ: &mut Vec<u8>) -> Look {
    environ.clear();
    let read = File::open(format!("/proc/{pid}/environ"))
        .and_then(|file| file.take(ENVIRON_BYTES).read_to_end(environ));
    match read {
        Ok(0) => Look::Doubtful,
        Ok(_) if marks(environ).any(wanted) => Look::Marked,
        // A process that is gone, or one of another user, is none of ours.
        Ok(_) | Err(_) => Look::Unmarked,
    }
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
        // A new program shows its environment a moment after `spawn` has returned.
        let give_up_at = Instant::now() + Duration::from_mins(1);
        while marked_processes(&run_id).len() != 1 {
            assert!(Instant::now() < give_up_at, "the marked process does not show up");
        }
        assert_eq!(sweep(&run_id), 1);
        // Not reaped yet, so it is a zombie now, and that is no survivor.
        assert_eq!(marked_processes(&run_id), []);
        marked.wait().unwrap();
        assert!(other.try_wait().unwrap().is_none(), "a stranger was killed");
        other.kill().unwrap();
        other.wait().unwrap();
    }
}
