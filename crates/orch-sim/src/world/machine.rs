//! A worker's machine: its processes and what stands on its disk. Pids are given anew after every
//! boot and in every fresh pid namespace, and start times repeat with them: only the whole
//! identity tells two processes apart.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use orch_core::ids::{RunId, TaskKey};
use orch_core::process::{ExitCause, ProcessIdentity, RunExit};
use orch_core::reap::{Holder, Liveness, Observation, Shown, Traces, liveness, observed};

use super::git::Branch;
use crate::directive::End;

/// A machine.
#[derive(Debug, Default)]
pub struct Machine {
    boot: u32,
    namespace: u32,
    next_pid: u32,
    processes: BTreeMap<u32, Process>,
    /// Run directories, on disk.
    pub runs: BTreeMap<RunId, RunDir>,
    /// Worktrees, on disk.
    pub worktrees: BTreeSet<TaskKey>,
    /// The branches of the mirror, on disk.
    pub branches: BTreeMap<TaskKey, Branch>,
    /// The tips of the remote's branches as the mirror saw them last.
    pub seen: BTreeMap<TaskKey, Option<u64>>,
    /// A planted bug: processes are told apart by their pids alone.
    pub pid_alone: bool,
}

#[derive(Debug)]
struct Process {
    start_time: u64,
    /// The mark in its environment; `None` for somebody else's process.
    run: Option<RunId>,
    supervises: bool,
}

/// A run's directory.
#[derive(Debug)]
pub struct RunDir {
    /// The task it works for.
    pub key: TaskKey,
    claim: Option<Claim>,
    child: bool,
    exit: Option<RunExit>,
    /// How its work ended; `None` before, and where it never ended.
    pub end: Option<End>,
    /// Until when the provider asked for patience.
    pub patience: Option<Timestamp>,
    /// The files that it worked on.
    pub tree: u64,
}

#[derive(Debug)]
enum Claim {
    Supervisor(ProcessIdentity),
    Revoked,
}

impl Machine {
    /// Boots: every process is gone.
    pub fn reboot(&mut self) {
        self.boot += 1;
        self.namespace = 0;
        self.fresh();
    }

    /// The container starts again on the same boot.
    pub fn restart_container(&mut self) {
        self.namespace += 1;
        self.fresh();
    }

    /// Pids begin anew, and every other time many of them go to others.
    fn fresh(&mut self) {
        self.processes.clear();
        self.next_pid = 2;
        let others = if (self.boot + self.namespace).is_multiple_of(2) { 40 } else { 0 };
        for _ in 0..others {
            self.spawn(None, false);
        }
    }

    /// The boot, made one with the pid namespace.
    fn boot_id(&self) -> String {
        format!("boot-{}-{}", self.boot, self.namespace)
    }

    fn spawn(&mut self, run: Option<RunId>, supervises: bool) -> ProcessIdentity {
        let pid = self.next_pid.max(2);
        self.next_pid = pid + 1;
        let start_time = u64::from(pid) * 10;
        self.processes.insert(pid, Process { start_time, run, supervises });
        ProcessIdentity { boot_id: self.boot_id(), pid, start_time }
    }

    /// Makes a run's directory; it keeps what is there.
    pub fn make_run(&mut self, run: &RunId, key: &TaskKey, tree: u64) {
        self.runs.entry(run.clone()).or_insert_with(|| RunDir {
            key: key.clone(),
            claim: None,
            child: false,
            exit: None,
            end: None,
            patience: None,
            tree,
        });
    }

    /// Starts a run under a supervisor; `None` where its right to start was taken away.
    pub fn launch(&mut self, run: &RunId) -> Option<ProcessIdentity> {
        if self.runs.get(run).is_none_or(|dir| dir.claim.is_some()) {
            return None;
        }
        let supervisor = self.spawn(Some(run.clone()), true);
        self.spawn(Some(run.clone()), false);
        let dir = self.runs.get_mut(run)?;
        dir.claim = Some(Claim::Supervisor(supervisor.clone()));
        Some(supervisor)
    }

    /// Time goes by: supervisors that were starting have started their children.
    pub fn settle(&mut self) {
        for dir in self.runs.values_mut() {
            dir.child |= matches!(dir.claim, Some(Claim::Supervisor(_)));
        }
    }

    /// What the process table shows under a pid, judged as the product judges it.
    fn liveness(&self, identity: &ProcessIdentity) -> Liveness {
        let shown = match self.processes.get(&identity.pid) {
            None => Shown::Nobody,
            Some(_) if self.pid_alone => return Liveness::Alive,
            Some(process) => {
                Shown::Somebody { start_time: process.start_time, dead: false, stopped: false }
            }
        };
        liveness(identity, Some(&self.boot_id()), shown)
    }

    /// Whether any process has that pid.
    pub fn has_pid(&self, pid: u32) -> bool {
        self.processes.contains_key(&pid)
    }

    /// Looks at a run: by its files and the process table, and by the product's own judgement.
    pub fn observe(&self, run: &RunId) -> Observation {
        let Some(dir) = self.runs.get(run) else { return Observation::NotStarted };
        let holder = match &dir.claim {
            None => Holder::Nobody,
            Some(Claim::Revoked) => Holder::Revoked,
            Some(Claim::Supervisor(identity)) => {
                Holder::Supervisor { liveness: self.liveness(identity), identity: identity.clone() }
            }
        };
        observed(Traces { holder, child_started: dir.child, exit: Ok(dir.exit.clone()) })
    }

    /// Keeps a run that has not started from starting; true where it never will.
    pub fn revoke(&mut self, run: &RunId, key: &TaskKey) -> bool {
        self.make_run(run, key, 0);
        let Some(dir) = self.runs.get_mut(run) else { return true };
        match dir.claim {
            None => {
                dir.claim = Some(Claim::Revoked);
                true
            }
            Some(Claim::Revoked) => true,
            Some(Claim::Supervisor(_)) => false,
        }
    }

    /// Ends a run's processes, whatever is left of them; one that never began is kept from it.
    pub fn end_run(&mut self, run: &RunId, at: Timestamp) {
        if let Some(dir) = self.runs.get(run) {
            let key = dir.key.clone();
            if !self.revoke(run, &key) && self.supervised(run) {
                self.write_exit(run, ExitCause::Cancelled, "", at);
            }
        }
        self.sweep(&BTreeSet::from([run.clone()]));
    }

    /// Ends every process that carries the mark of one of the runs; says how many there were.
    pub fn sweep(&mut self, runs: &BTreeSet<RunId>) -> usize {
        let before = self.processes.len();
        let marked = |process: &Process| process.run.as_ref().is_some_and(|r| runs.contains(r));
        self.processes.retain(|_, process| !marked(process));
        before - self.processes.len()
    }

    fn supervised(&self, run: &RunId) -> bool {
        self.processes.values().any(|p| p.supervises && p.run.as_ref() == Some(run))
    }

    /// Whether any process of the run lives.
    pub fn lives(&self, run: &RunId) -> bool {
        self.processes.values().any(|process| process.run.as_ref() == Some(run))
    }

    /// Runs with a living process, in the order of their ids.
    pub fn living(&self) -> Vec<RunId> {
        let all: BTreeSet<RunId> =
            self.processes.values().filter_map(|process| process.run.clone()).collect();
        all.into_iter().collect()
    }

    /// The first run of a task that is being worked under a living supervisor.
    pub fn worked(&self, key: &TaskKey) -> Option<RunId> {
        let of_task = |run: &RunId| {
            self.runs.get(run).is_some_and(|dir| &dir.key == key && dir.exit.is_none())
        };
        self.living().into_iter().find(|run| of_task(run) && self.supervised(run))
    }

    /// Whether there is nothing to do about a run but wait: its supervisor lives.
    pub fn waits(&self, run: &RunId) -> bool {
        matches!(
            self.observe(run),
            Observation::NotStarted | Observation::Starting | Observation::Running(_)
        )
    }

    /// The supervisor dies without a word; its child lives on.
    pub fn kill_supervisor(&mut self, run: &RunId) {
        self.processes.retain(|_, p| !(p.supervises && p.run.as_ref() == Some(run)));
    }

    /// The work of a run ends, and its supervisor writes down how.
    pub fn exit(&mut self, run: &RunId, end: End, suite: bool, at: Timestamp) {
        if let Some(dir) = self.runs.get_mut(run) {
            dir.child = true;
            dir.end = Some(end);
            if end == End::RateLimit {
                dir.patience = at.checked_add(jiff::SignedDuration::from_hours(1)).ok();
            }
        }
        if end == End::Lost {
            self.sweep(&BTreeSet::from([run.clone()]));
            return;
        }
        let (cause, stderr) = cause(end, suite);
        self.write_exit(run, cause, stderr, at);
        self.sweep(&BTreeSet::from([run.clone()]));
    }

    fn write_exit(&mut self, run: &RunId, cause: ExitCause, stderr: &str, at: Timestamp) {
        let failed = matches!(cause, ExitCause::Exited { code: 1 }) && stderr.is_empty();
        let Some(dir) = self.runs.get_mut(run) else { return };
        dir.exit.get_or_insert(RunExit {
            cause,
            started_at: at,
            finished_at: at,
            stdout_tail: if failed { "not ok 1 - adds".to_owned() } else { String::new() },
            stderr_tail: stderr.to_owned(),
            lines: 1,
            survivors_killed: 0,
        });
    }
}

/// What a supervisor sees of an end: an agent that judges or fails to deliver exits with 0, a
/// suite that fails with 1.
fn cause(end: End, suite: bool) -> (ExitCause, &'static str) {
    let code = |code| ExitCause::Exited { code };
    match end {
        End::Pass | End::Lost => (code(0), ""),
        End::Fail | End::Refused => (code(i32::from(suite)), ""),
        End::Transient | End::RateLimit => (code(1), "curl: (6) Could not resolve host: example"),
        End::Ssh => (code(255), "ssh: connect to host staging port 22: Connection timed out"),
        End::Permanent => (code(127), "sh: 1: docker: not found"),
        End::Timeout => (ExitCause::TimedOut { limit_ms: 7_200_000 }, ""),
        End::Stall => (ExitCause::Stalled { limit_ms: 900_000 }, ""),
        End::Killed => (ExitCause::Signaled { signal: 9 }, ""),
    }
}
