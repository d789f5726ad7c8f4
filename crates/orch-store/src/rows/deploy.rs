//! Deploys, their steps, their targets and their monitors.

use jiff::Timestamp;
use orch_core::deploy::{Action, End, Entry, Held, LockState, Purpose, Seen, StepResult, Watch};
use orch_core::ids::{DeployId, RepoName, Revision, RunId, TaskId, TaskKey, WorkerId};

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// A deploy of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// Its row.
    pub id: DeployId,
    /// The task.
    pub task_id: TaskId,
    /// The task's key.
    pub task: TaskKey,
    /// The task's repository.
    pub repo: RepoName,
    /// Where it goes.
    pub target: String,
    /// What it is for.
    pub purpose: Purpose,
    /// The revision it is about.
    pub revision: Revision,
    /// The run that drives it, or drove it last.
    pub run_id: RunId,
    /// The epoch by which it last had its target's lock; `None` before the first.
    pub lock_epoch: Option<u64>,
    /// How it ended, and when; `None` while it is open.
    pub ended: Option<(End, Timestamp)>,
    /// When it was begun.
    pub began_at: Timestamp,
}

/// The columns that [`deploy`] reads.
macro_rules! deploy_columns {
    () => {
        "d.id, d.task_id, t.key, r.name, d.target, d.purpose, d.revision, d.restore_to, \
         d.restore_evidence, d.run_id, d.lock_epoch, d.ending, d.ended_at, d.began_at \
         FROM deploys d JOIN tasks t ON t.id = d.task_id JOIN repos r ON r.id = t.repo_id"
    };
}
pub(crate) use deploy_columns;

pub(crate) fn deploy(row: Row) -> Result<Deploy> {
    let mut row = Reader::new("deploys", row);
    let id = DeployId(row.int("id")?);
    let task_id = TaskId(row.int("task_id")?);
    let (task, repo) = (row.parsed("key")?, row.parsed("name")?);
    let target = row.text("target")?;
    let purpose = row.text("purpose")?;
    let revision = row.parsed("revision")?;
    let restore = (row.opt_parsed("restore_to")?, row.opt_text("restore_evidence")?);
    let purpose = match (purpose.as_str(), restore) {
        ("deploy", (None, None)) => Purpose::Deploy,
        ("restore", (Some(to), Some(evidence))) => Purpose::Restore { to, evidence },
        _ => return Err(row.impossible(format!("purpose {purpose:?} does not fit its columns"))),
    };
    let run_id = row.parsed("run_id")?;
    let lock_epoch = row.opt_number("lock_epoch")?;
    let ended = match (row.opt_json("ending")?, row.opt_time("ended_at")?) {
        (Some(end), Some(at)) => Some((end, at)),
        (None, None) => None,
        _ => return Err(row.impossible("only a part of ending, ended_at is set")),
    };
    let began_at = row.time("began_at")?;
    Ok(Deploy {
        id,
        task_id,
        task,
        repo,
        target,
        purpose,
        revision,
        run_id,
        lock_epoch,
        ended,
        began_at,
    })
}

/// A step in a deploy's journal.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployStep {
    /// Its place, from 1.
    pub seq: u32,
    /// What was intended, and what it came to.
    pub entry: Entry,
    /// The run that intended it.
    pub run_id: RunId,
    /// The worker that intended it.
    pub worker_id: WorkerId,
    /// Where the command's supervisor works, below that worker's state directory; `None` where it
    /// is no command.
    pub dir: Option<String>,
    /// When it was intended.
    pub intended_at: Timestamp,
    /// When it was confirmed; `None` until then.
    pub done_at: Option<Timestamp>,
}

pub(crate) fn step(row: Row) -> Result<DeployStep> {
    let mut row = Reader::new("deploy_steps", row);
    let seq = row.number("seq")?;
    let action: Action = row.json("intent")?;
    let run_id = row.parsed("run_id")?;
    let worker_id = row.parsed("worker_id")?;
    let dir = row.opt_text("dir")?;
    let intended_at = row.time("intended_at")?;
    let result: Option<StepResult> = row.opt_json("result")?;
    let done_at = row.opt_time("done_at")?;
    if result.is_some() != done_at.is_some() {
        return Err(row.impossible("only a part of result, done_at is set"));
    }
    let entry = Entry { action, result };
    Ok(DeployStep { seq, entry, run_id, worker_id, dir, intended_at, done_at })
}

/// Where deploys go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployTarget {
    /// Its name.
    pub target: String,
    /// Its lock.
    pub lock: LockState,
    /// What was deployed there last with success, from which repository; `None` before the first.
    pub good: Option<(RepoName, Revision)>,
}

/// A target's lock with the deploy that has it, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetLock {
    /// The target.
    pub target: String,
    /// Its epoch.
    pub epoch: u64,
    /// Who has it; `None` where it is free.
    pub held: Option<(Held, TaskKey)>,
    /// What was deployed there last with success.
    pub good: Option<Revision>,
}

/// The columns that [`target`] reads.
macro_rules! target_columns {
    () => {
        "g.target, g.epoch, g.deploy_id, g.worker_id, g.lease_until, g.busy_until, \
         (SELECT r.name FROM repos r WHERE r.id = g.good_repo), g.good_revision \
         FROM deploy_targets g"
    };
}
pub(crate) use target_columns;

pub(crate) fn target(row: Row) -> Result<DeployTarget> {
    let mut row = Reader::new("deploy_targets", row);
    let target = row.text("target")?;
    let epoch = row.number("epoch")?;
    let deploy = row.opt_int("deploy_id")?.map(DeployId);
    let worker = row.opt_parsed("worker_id")?;
    let lease = row.opt_time("lease_until")?;
    let busy_until = row.opt_time("busy_until")?;
    let held = match (deploy, worker, lease) {
        (Some(deploy), Some(worker), Some(lease_until)) => {
            Some(Held { deploy, worker, lease_until, busy_until })
        }
        (None, None, None) => None,
        _ => return Err(row.impossible("only a part of the lock is set")),
    };
    let good = row.opt_parsed("good_repo")?.zip(row.opt_parsed("good_revision")?);
    Ok(DeployTarget { target, lock: LockState { epoch, held }, good })
}

/// Where a monitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MonitorState {
    /// It looks.
    Watching,
    /// It saw a fault of the code, and the revision is being taken back.
    TakingBack,
    /// Its window passed.
    Passed,
    /// A next deploy took its place.
    Superseded,
    /// The revision was taken back.
    RolledBack,
    /// The revision went bad and could not be taken back.
    Failed,
}

impl MonitorState {
    const ALL: [Self; 6] = [
        Self::Watching,
        Self::TakingBack,
        Self::Passed,
        Self::Superseded,
        Self::RolledBack,
        Self::Failed,
    ];

    /// The word in the `state` column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::TakingBack => "taking_back",
            Self::Passed => "passed",
            Self::Superseded => "superseded",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
        }
    }
}

/// A deployed revision under watch, or once under it.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor {
    /// The deploy that it watches.
    pub deploy: Deploy,
    /// Where it stands.
    pub state: MonitorState,
    /// What was seen when the deploy was found good.
    pub good: Seen,
    /// What has been seen since.
    pub watch: Watch,
    /// The revision to take it back to; `None` where the way back was not proven.
    pub back_to: Option<Revision>,
    /// When it ends.
    pub until: Timestamp,
    /// Not to be looked at before this moment.
    pub next_look_at: Timestamp,
    /// Why it stands as it does; `None` while all is well.
    pub reason: Option<String>,
}

/// The columns that [`monitor`] reads before those of its deploy.
macro_rules! monitor_columns {
    () => {
        "m.deploy_id, m.state, m.good, m.watch, m.back_to, m.until_at, m.next_look_at, m.reason"
    };
}
pub(crate) use monitor_columns;

pub(crate) fn monitor(mut row: Row) -> Result<Monitor> {
    let of_deploy = row.split_off(8.min(row.len()));
    let deploy = deploy(of_deploy)?;
    let mut row = Reader::new("deploy_monitors", row);
    row.int("deploy_id")?;
    let word = row.text("state")?;
    let state = MonitorState::ALL.into_iter().find(|state| state.word() == word);
    Ok(Monitor {
        deploy,
        state: state.ok_or_else(|| row.impossible(format!("state is {word:?}")))?,
        good: row.json("good")?,
        watch: row.json("watch")?,
        back_to: row.opt_parsed("back_to")?,
        until: row.time("until_at")?,
        next_look_at: row.time("next_look_at")?,
        reason: row.opt_text("reason")?,
    })
}
