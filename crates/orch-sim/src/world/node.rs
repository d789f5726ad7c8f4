//! A worker: a service on a machine of its own, and the runs that it drives.

use std::collections::VecDeque;

use orch_core::ids::{RunId, TaskKey, WorkerId};
use orch_core::job::{Fence, Job, Ownership};
use orch_core::process::{ProcessIdentity, RunExit};
use orch_core::task::Task;

use super::World;
use super::git::Branch;
use super::machine::Machine;
use super::settle::Ended;
use crate::directive::{Effect, Fault, Worker};

/// A worker.
#[derive(Debug)]
pub struct Node {
    /// Its id in the store.
    pub id: WorkerId,
    /// Its service runs.
    pub up: bool,
    /// Its machine sleeps.
    pub suspended: bool,
    /// It can't reach the database.
    pub partitioned: bool,
    /// By how much its clock is wrong.
    pub skew_ms: i64,
    /// Its machine.
    pub machine: Machine,
    /// The runs that its service drives.
    pub drivers: Vec<Driver>,
    /// Faults that wait for its next effects.
    pub faults: VecDeque<Fault>,
}

/// A run, driven.
#[derive(Debug)]
pub struct Driver {
    /// The job as it was claimed.
    pub job: Job,
    /// The task as it was at the claim.
    pub task: Task,
    /// The claim.
    pub owner: Ownership,
    /// The tip of the branch on which it began.
    pub base: Option<u64>,
    /// It was told that its job is lost.
    pub lost: bool,
    /// What it does next.
    pub phase: Phase,
}

/// What a driven run does next; each is one effect.
#[derive(Debug)]
pub enum Phase {
    /// Make the worktree.
    Prepare,
    /// Write down what it begins on.
    StampBase,
    /// Start the supervisor.
    Launch,
    /// Write down which process that is.
    StampProcess(ProcessIdentity),
    /// Wait for the end of the work.
    Wait,
    /// Commit and push what the work left.
    Collect(RunExit),
    /// Rebase the branch for landing.
    Rebase,
    /// Look whether the job is still its own.
    LookBeforePush(Branch),
    /// Push to the default branch.
    PushMain(Branch),
    /// Decide and apply.
    Settle(Box<Ended>),
    /// Remove the worktree of the ended task.
    RemoveWorktree,
}

impl Phase {
    /// The effect that it consists of; `None` where it only looks.
    pub fn effect(&self) -> Option<Effect> {
        match self {
            Self::Prepare | Self::Collect(_) | Self::Rebase | Self::PushMain(_) => {
                Some(Effect::Git)
            }
            Self::StampBase | Self::StampProcess(_) | Self::Settle(_) => Some(Effect::Write),
            Self::Launch => Some(Effect::Spawn),
            Self::RemoveWorktree => Some(Effect::Remove),
            Self::Wait | Self::LookBeforePush(_) => None,
        }
    }

    /// A word for the transcript.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::StampBase => "stamp base",
            Self::Launch => "launch",
            Self::StampProcess(_) => "stamp process",
            Self::Wait => "wait",
            Self::Collect(_) => "collect",
            Self::Rebase => "rebase",
            Self::LookBeforePush(_) => "look before push",
            Self::PushMain(_) => "push main",
            Self::Settle(_) => "settle",
            Self::RemoveWorktree => "remove worktree",
        }
    }
}

impl Driver {
    /// What every write by the run shows.
    pub fn fence(&self) -> Fence {
        Fence {
            job_id: self.job.id,
            run_id: self.owner.run_id.clone(),
            run_epoch: self.owner.run_epoch,
        }
    }

    /// The run.
    pub fn run(&self) -> &RunId {
        &self.owner.run_id
    }

    /// The task.
    pub fn key(&self) -> &TaskKey {
        &self.task.key
    }
}

impl Node {
    /// A worker on a machine that has just booted; its service runs.
    ///
    /// # Panics
    /// Where the worker's number is not one of w1 to w9, which no directive can name.
    pub fn new(worker: Worker, pid_alone: bool) -> Self {
        let mut machine = Machine::default();
        machine.pid_alone = pid_alone;
        machine.reboot();
        Self {
            id: WorkerId::new(worker.to_string()).expect("w1 to w9 are worker ids"),
            up: true,
            suspended: false,
            partitioned: false,
            skew_ms: 0,
            machine,
            drivers: Vec::new(),
            faults: VecDeque::new(),
        }
    }

    /// Whether its service can do anything.
    pub fn acts(&self) -> bool {
        self.up && !self.suspended
    }

    /// Whether its service drives that run.
    pub fn drives(&self, run: &RunId) -> bool {
        self.drivers.iter().any(|driver| driver.run() == run)
    }
}

impl World {
    /// A worker's service dies where it stands.
    pub fn crash(&mut self, worker: Worker) {
        let Some(node) = self.node_mut(worker) else { return };
        let was_up = std::mem::replace(&mut node.up, false);
        node.drivers.clear();
        if was_up {
            self.counts.crashes += 1;
        }
    }
}
