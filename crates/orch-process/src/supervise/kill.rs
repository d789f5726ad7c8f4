//! Ends the process tree: politely first, then for certain.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use orch_core::ids::RunId;
use orch_core::process::Polite;
use rustix::process::{Pid, Signal};

use super::reap::Reaper;
use crate::cgroup::Leaf;
use crate::procfs::{self, Stat};
use crate::{signal, sweep};

/// How long to go on against processes that don't die: uninterruptible sleep on a dead file server,
/// or a process of another user that we may not signal.
const PATIENCE: Duration = Duration::from_mins(1);
/// The pause between two passes, for the kernel to end what was killed.
const PAUSE: Duration = Duration::from_millis(1);
/// Quick passes over direct children between two walks of the whole table. A process that forks
/// and exits without rest is always our direct child, and a quick pass takes only some 30 µs.
const QUICK_PASSES: u32 = 32;

/// Everything that belongs to one run.
#[derive(Debug)]
pub(super) struct Tree {
    child: Pid,
    run_id: RunId,
    leaf: Option<Leaf>,
    /// Killed together with the child: they were given no chance to outlive it.
    together: BTreeSet<u32>,
    survivors: BTreeSet<u32>,
}

/// The result of a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Killed {
    /// Processes that were still alive when the child had ended, and were killed.
    pub survivors: u32,
    /// Processes that could not be killed in [`PATIENCE`].
    pub immortal: usize,
}

impl Tree {
    /// The tree of this child.
    pub(super) fn new(child: Pid, run_id: RunId, leaf: Option<Leaf>) -> Self {
        Self { child, run_id, leaf, together: BTreeSet::new(), survivors: BTreeSet::new() }
    }

    /// Asks every process to end. Stopped ones are woken, so that they can.
    pub(super) fn ask(&self, reaper: &Reaper, how: Polite) {
        let asked = match how {
            Polite::Term => Signal::TERM,
            Polite::Int => Signal::INT,
        };
        if reaper.status().is_none() {
            // The child is not reaped, so its process group can't be anybody else's.
            let _ = rustix::process::kill_process_group(self.child, asked);
        }
        for stat in living_descendants() {
            // The group has its signal already; a second one would end a program that takes the
            // second for "now".
            if group_of(stat.pid) != Some(self.child) {
                signal::send(stat.pid, stat.start_time, asked);
            }
            signal::send(stat.pid, stat.start_time, Signal::CONT);
        }
    }

    /// Kills until nothing is left: descendants until the kernel says that we have no child, then
    /// by the mark.
    pub(super) fn kill(mut self, reaper: &mut Reaper) -> Killed {
        let deadline = Instant::now() + PATIENCE;
        while reaper.reap() && Instant::now() < deadline {
            self.kill_descendants(reaper);
            if !self.kill_quickly(reaper) {
                break;
            }
            std::thread::sleep(PAUSE);
        }
        self.kill_marked(reaper, deadline);
        if let Some(leaf) = &self.leaf {
            leaf.remove();
        }
        let immortal = if reaper.reap() { living_descendants().len() } else { 0 };
        Killed { survivors: self.survivors.len() as u32, immortal }
    }

    fn kill_descendants(&mut self, reaper: &Reaper) {
        let alive = living_descendants();
        for stat in &alive {
            self.note(stat, reaper);
        }
        if let Some(leaf) = &self.leaf {
            leaf.kill();
        }
        for stat in &alive {
            signal::send(stat.pid, stat.start_time, Signal::KILL);
        }
    }

    /// False when no child is left. A direct child can't be replaced by a stranger before we reap
    /// it, so its pid is enough.
    fn kill_quickly(&mut self, reaper: &mut Reaper) -> bool {
        for _ in 0..QUICK_PASSES {
            for pid in procfs::own_children().unwrap_or_default() {
                let Ok(Some(stat)) = procfs::stat(pid) else { continue };
                if !stat.dead {
                    self.note(&stat, reaper);
                    signal::send(pid, stat.start_time, Signal::KILL);
                }
            }
            if !reaper.reap() {
                return false;
            }
        }
        true
    }

    /// What has left the tree altogether, by the help of another process. (What is in doubt there
    /// would be our child or below it, and we know that we have none.)
    fn kill_marked(&mut self, reaper: &Reaper, deadline: Instant) {
        let run_id = self.run_id.clone();
        loop {
            let mut found = false;
            sweep::for_each_marked(&|mark| mark == run_id.as_str(), &mut |stat| {
                found = true;
                if signal::send(stat.pid, stat.start_time, Signal::KILL) {
                    self.note(stat, reaper);
                }
            });
            if !found || Instant::now() >= deadline {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Only what outlives the child is a survivor.
    fn note(&mut self, stat: &Stat, reaper: &Reaper) {
        if reaper.status().is_none() {
            self.together.insert(stat.pid);
        } else if !self.together.contains(&stat.pid) {
            self.survivors.insert(stat.pid);
        }
    }
}

fn living_descendants() -> Vec<Stat> {
    let table = procfs::snapshot().unwrap_or_default();
    let mut found = procfs::descendants(std::process::id(), &table);
    found.retain(|stat| !stat.dead);
    found
}

fn group_of(pid: u32) -> Option<Pid> {
    rustix::process::getpgid(Pid::from_raw(i32::try_from(pid).ok()?)).ok()
}
