//! Planted bugs: the simulator has to find each of them. They live here and nowhere else; the
//! product has no switch for any.
//!
//! A bug is planted where the simulated worker calls the real thing: a decision is spoilt before
//! it is applied, or a row after it, past the schema's constraints where those forbid it.

use std::fmt;
use std::str::FromStr;

use orch_core::decide::{Counts, Decision, Step};
use orch_core::event::EventKind;
use orch_core::ids::TaskKey;
use orch_core::job::{Fence, Ownership};
use orch_store::{Guard, Store, StoreOptions};

use crate::directive::Worker;
use crate::world::{Fact, World};

/// A bug that can be planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plant {
    /// A queued job keeps its run and pid, and whoever finds that pid alive believes it.
    StalePid,
    /// Processes are told apart by their pids alone.
    ReusedPid,
    /// A run's decision is applied although its job has moved on.
    MissingFence,
    /// A job ends and its task gets no further one.
    LostNextJob,
    /// The serial gate admits one too many.
    DoubleAdmit,
    /// A paused task keeps its slot.
    UnskippedPause,
    /// An infrastructure fault burns a retry of the task.
    RetryBurnt,
    /// The merge gate doesn't look whether the branch has landed.
    DoubleMerge,
    /// The worktree of an ended task is forgotten.
    OrphanWorktree,
    /// A worker goes on from its own copy of a branch, though another worker has pushed to it.
    StaleMirror,
    /// A task enters a stage and no event says so.
    DroppedEvent,
    /// A defer doesn't count.
    UnboundedDefer,
}

impl Plant {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::StalePid,
        Self::ReusedPid,
        Self::MissingFence,
        Self::LostNextJob,
        Self::DoubleAdmit,
        Self::UnskippedPause,
        Self::RetryBurnt,
        Self::DoubleMerge,
        Self::OrphanWorktree,
        Self::StaleMirror,
        Self::DroppedEvent,
        Self::UnboundedDefer,
    ];

    /// Whether it breaks what the schema forbids.
    fn writes_rows(self) -> bool {
        matches!(
            self,
            Self::StalePid | Self::LostNextJob | Self::DoubleAdmit | Self::UnskippedPause
        )
    }

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::StalePid => "stale-pid",
            Self::ReusedPid => "reused-pid",
            Self::MissingFence => "missing-fence",
            Self::LostNextJob => "lost-next-job",
            Self::DoubleAdmit => "double-admit",
            Self::UnskippedPause => "unskipped-pause",
            Self::RetryBurnt => "retry-burnt",
            Self::DoubleMerge => "double-merge",
            Self::OrphanWorktree => "orphan-worktree",
            Self::StaleMirror => "stale-mirror",
            Self::DroppedEvent => "dropped-event",
            Self::UnboundedDefer => "unbounded-defer",
        }
    }
}

impl fmt::Display for Plant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Plant {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|plant| plant.word() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|plant| plant.word()).collect();
            format!("{text:?} is not a bug that can be planted; there are {}", known.join(", "))
        })
    }
}

/// A planted bug, with a way into the database past the store.
#[derive(Debug)]
pub struct Sabotage {
    /// Which one.
    pub plant: Plant,
    /// `None` where the bug needs no way past the store.
    past: Option<Past>,
}

/// A way into the database past the store.
#[derive(Debug)]
struct Past {
    connection: rusqlite::Connection,
    /// Where the database is; gone with the world.
    _dir: tempfile::TempDir,
}

/// Memory where there is some: nothing here has to outlive the world.
const SHARED_MEMORY: &str = "/dev/shm";

impl Sabotage {
    /// Opens a store, and where the bug breaks what the schema forbids a way past it.
    pub fn open(plant: Plant, options: StoreOptions) -> anyhow::Result<(Store, Self)> {
        if !plant.writes_rows() {
            return Ok((Store::open_in_memory(options)?, Self { plant, past: None }));
        }
        let dir = tempfile::tempdir_in(SHARED_MEMORY).or_else(|_| tempfile::tempdir())?;
        let path = dir.path().join("orch.db");
        let store = Store::open(&path, options)?;
        let connection = rusqlite::Connection::open(&path)?;
        connection.execute_batch(
            "PRAGMA synchronous = OFF; PRAGMA ignore_check_constraints = ON; \
             PRAGMA foreign_keys = OFF;",
        )?;
        Ok((store, Self { plant, past: Some(Past { connection, _dir: dir }) }))
    }

    fn write(&self, sql: &str, params: impl rusqlite::Params) {
        // What can't be spoilt, because the row is gone, stays as it is.
        if let Some(past) = &self.past {
            drop(past.connection.execute(sql, params));
        }
    }
}

impl World {
    /// Spoils a decision before it is applied.
    pub fn spoil_decision(&self, mut decision: Decision, fact: Fact) -> Decision {
        match self.plant() {
            Some(Plant::RetryBurnt) if matches!(fact, Fact::Waits | Fact::Infra) => {
                decision.progress.attempts += 1;
            }
            Some(Plant::DroppedEvent) => {
                decision.events.retain(|event| event.kind != EventKind::StageEntered);
            }
            Some(Plant::UnboundedDefer) => {
                if let Step::Requeue { counts: counts @ Counts::Defer, .. } = &mut decision.step {
                    *counts = Counts::Nothing;
                }
            }
            _ => {}
        }
        decision
    }

    /// Applies a run's decision although it was fenced off; true where that went in.
    pub fn apply_unfenced(&self, fence: &Fence, decision: &Decision) -> bool {
        if self.plant() != Some(Plant::MissingFence) {
            return false;
        }
        let Ok(job) = self.store.job(fence.job_id) else { return false };
        let guard = Guard::Any { job_id: job.id, run_epoch: job.run_epoch };
        self.store.apply(self.time(), &guard, decision, None).is_ok()
    }

    /// Spoils rows after a decision was applied.
    pub fn spoil_rows(&self, fence: &Fence, owner: &Ownership, decision: &Decision) {
        let Some(sabotage) = &self.sabotage else { return };
        let job = fence.job_id.0;
        match (sabotage.plant, &decision.step) {
            (Plant::StalePid, Step::Requeue { .. }) => {
                let (pid, start, boot) = match &owner.process {
                    Some(p) => (p.pid, p.start_time as i64, p.boot_id.clone()),
                    None => (2, 20, "boot-1-0".to_owned()),
                };
                sabotage.write(
                    "UPDATE jobs SET run_id = ?2, pid = ?3, pid_start = ?4, boot_id = ?5 \
                     WHERE id = ?1 AND status = 'queued'",
                    (job, fence.run_id.as_str(), pid, start, boot),
                );
            }
            (Plant::LostNextJob, Step::Next { .. }) => sabotage.write(
                "DELETE FROM jobs WHERE finished_at IS NULL AND run_epoch = 0 AND task_id = \
                 (SELECT task_id FROM jobs WHERE id = ?1)",
                [job],
            ),
            _ => {}
        }
    }

    /// Spoils a pause: the task takes its slot back.
    pub fn spoil_pause(&self, key: &TaskKey) {
        let Some(sabotage) = &self.sabotage else { return };
        if sabotage.plant == Plant::UnskippedPause {
            sabotage.write(
                "UPDATE tasks SET gate_slot = 50 WHERE key = ?1 AND paused_at IS NOT NULL",
                [key.to_string()],
            );
        }
    }

    /// Spoils the serial gate: whoever is first outside is let in too.
    pub fn spoil_gate(&self) {
        let Some(sabotage) = &self.sabotage else { return };
        if sabotage.plant == Plant::DoubleAdmit {
            sabotage.write(
                "UPDATE tasks SET gate_slot = 60 WHERE id = (SELECT min(id) FROM tasks \
                 WHERE status = 'open' AND gate_slot IS NULL AND paused_at IS NULL)",
                [],
            );
        }
    }

    /// Whether a queued job's leftover pid makes this worker believe that it is busy.
    pub fn phantom(&self, worker: Worker) -> bool {
        let Some(sabotage) = self.sabotage.as_ref().filter(|s| s.plant == Plant::StalePid) else {
            return false;
        };
        let Some(node) = self.node(worker) else { return false };
        let Some(past) = &sabotage.past else { return false };
        let pids = || -> rusqlite::Result<Vec<u32>> {
            let mut statement = past
                .connection
                .prepare("SELECT pid FROM jobs WHERE status = 'queued' AND pid IS NOT NULL")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        pids().unwrap_or_default().into_iter().any(|pid| node.machine.has_pid(pid))
    }
}
