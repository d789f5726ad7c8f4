//! `GET /queue`: what runs, what is next, and what each loop reports of itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::alerts::AlertsReport;
use crate::breakers::BreakersReport;
use crate::deploys::DeploysReport;

/// The queue at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueReport {
    /// How many jobs have not ended.
    pub jobs: JobCounts,
    /// What runs, oldest job first.
    pub running: Vec<RunningItem>,
    /// What would be claimed next, in that order; at most 20.
    pub next: Vec<NextItem>,
    /// The reaper.
    pub reaper: ReaperReport,
    /// The serial gate.
    pub serial_gate: SerialGateReport,
    /// The runner of stage `testing`.
    pub test_runner: TestRunnerReport,
    /// The runner of stage `deploy-staging`.
    pub staging_runner: StagingRunnerReport,
    /// The merge gate.
    pub merge_gate: MergeGateReport,
    /// What jobs go through and may be shut for a time, such as providers' accounts.
    #[serde(default)]
    pub channels: Vec<ChannelItem>,
    /// Deploy targets and watched revisions.
    #[serde(default)]
    pub deploys: DeploysReport,
    /// Who is told of what has to be mended.
    #[serde(default)]
    pub alerts: AlertsReport,
    /// Shared faults.
    #[serde(default)]
    pub breakers: BreakersReport,
    /// Every worker that was ever heard of.
    pub workers: Vec<WorkerItem>,
}

/// How many jobs have not ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobCounts {
    /// In the queue, due or not, inside the serial gate or not.
    pub queued: u64,
    /// With a worker.
    pub running: u64,
    /// Parked.
    pub held: u64,
}

/// A job with a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningItem {
    /// The task.
    pub key: String,
    /// Its repository.
    pub repo: String,
    /// Its title.
    pub title: String,
    /// The stage it attempts.
    pub stage: String,
    /// Who works it.
    pub agent: String,
    /// The execution.
    pub run_id: String,
    /// The worker.
    pub worker_id: String,
    /// The supervisor's process id; `None` until it has been spawned.
    pub pid: Option<u32>,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// Until when the claim holds without a heartbeat.
    pub lease_until: Timestamp,
}

/// A job that may be claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextItem {
    /// The task.
    pub key: String,
    /// Its repository.
    pub repo: String,
    /// Its title.
    pub title: String,
    /// The stage it attempts.
    pub stage: String,
    /// Who works it.
    pub agent: String,
    /// Higher goes first.
    pub priority: i32,
}

/// The reaper, since the service started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaperReport {
    /// When it looked around last.
    pub last_tick_at: Option<Timestamp>,
    /// How often it looked.
    pub ticks_total: u64,
    /// Jobs taken back from runs that were gone.
    pub reaped_total: u64,
    /// Runs found alive after a restart and taken up again.
    pub adopted_total: u64,
    /// Queued jobs with traces of an owner that were cleaned.
    pub impossible_queued_total: u64,
    /// The sanitizer's kill-switch.
    pub sanitize_enabled: bool,
}

/// The serial gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SerialGateReport {
    /// Its kill-switch.
    pub enabled: bool,
    /// Slots per repository.
    pub width: u32,
    /// Repositories with an open task, or frozen, by name.
    pub repos: Vec<RepoGateReport>,
}

/// The serial gate of one repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepoGateReport {
    /// The repository.
    pub repo: String,
    /// True while nobody enters.
    pub frozen: bool,
    /// Since when; `None` where it is not frozen.
    pub frozen_at: Option<Timestamp>,
    /// Why, in the words given.
    pub frozen_reason: Option<String>,
    /// The task in the first slot; `None` where nobody is inside.
    pub holder: Option<String>,
    /// All tasks inside; more than one only where the width is above 1.
    pub holders: Vec<String>,
    /// Tasks outside, in the order in which they will enter; at most 100.
    pub waiting: Vec<String>,
    /// How many tasks are outside.
    pub waiting_total: u64,
    /// Tasks that were told to step aside.
    pub paused: Vec<GatePaused>,
    /// Tasks that are parked.
    pub held: Vec<GateHeld>,
}

/// A task that was told to step aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatePaused {
    /// The task.
    pub key: String,
    /// Since when.
    pub paused_at: Timestamp,
    /// Why, in the words given.
    pub reason: Option<String>,
}

/// A task that is parked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateHeld {
    /// The task.
    pub key: String,
    /// What it waits for: `infra`, `budget`, `config`, `deploy`, `approval` or `question`.
    pub kind: String,
    /// Why.
    pub reason: String,
}

/// The runner of stage `testing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRunnerReport {
    /// Its kill-switch.
    pub enabled: bool,
    /// Suites that ran, since the service started.
    pub suite_ran: u64,
    /// Environments to mend, since the service started.
    pub permanent_env: u64,
    /// Passing faults, since the service started.
    pub transient_infra: u64,
    /// Ends of which nobody can tell what failed, since the service started.
    #[serde(default)]
    pub unknown: u64,
    /// Runs that somebody ended, since the service started.
    #[serde(default)]
    pub cancelled: u64,
    /// Tasks at the stage that wait for their time after a fault, now.
    pub deferred: u64,
    /// Tasks parked at the stage, now.
    pub held: u64,
}

/// The runner of stage `deploy-staging`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagingRunnerReport {
    /// Its kill-switch.
    pub enabled: bool,
    /// Whether the suite runs on the host rather than in the service's own container.
    pub exec_host_side: bool,
    /// Whether the channels to the hosts work; `None` where this process has looked at none.
    pub preflight: Option<Preflight>,
    /// Suites that ran, since the service started.
    pub suite_ran: u64,
    /// Environments to mend, since the service started.
    pub permanent_env: u64,
    /// Passing faults, since the service started.
    pub transient_infra: u64,
    /// Ends of which nobody can tell what failed, since the service started.
    #[serde(default)]
    pub unknown: u64,
    /// Runs that somebody ended, since the service started.
    #[serde(default)]
    pub cancelled: u64,
    /// Tasks at the stage that wait for their time after a fault, now.
    pub deferred: u64,
    /// Tasks parked at the stage, now.
    pub held: u64,
}

/// Whether the channels to other machines work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preflight {
    /// All that were looked at do.
    pub ok: bool,
    /// The oldest look that counts.
    pub checked_at: Timestamp,
    /// What was seen; of those that do not work where any does not.
    pub detail: String,
    /// Each channel by itself.
    #[serde(default)]
    pub targets: Vec<TargetPreflight>,
}

/// Whether the channel to one machine works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetPreflight {
    /// The machine, as `ssh_target` names it.
    pub target: String,
    /// It works; `None` where nobody has looked yet.
    pub ok: Option<bool>,
    /// When that was looked at; `None` before the first look.
    pub checked_at: Option<Timestamp>,
    /// What was seen, with the remedy of a fault.
    pub detail: String,
    /// The repositories that use it.
    pub repos: Vec<String>,
}

/// The merge gate, since the service started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergeGateReport {
    /// Branches landed.
    pub landed: u64,
    /// Branches rejected by a conflict or a guard.
    pub rejected: u64,
    /// Branches sent to be tested again.
    pub retested: u64,
}

/// A worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerItem {
    /// Its id, kept across restarts.
    pub id: String,
    /// The machine it runs on.
    pub host: String,
    /// Its process id.
    pub pid: u32,
    /// The program's version.
    pub version: String,
    /// Runs it takes at once.
    pub capacity: u32,
    /// What it has; stages may ask for it.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Runs it has.
    pub running: u64,
    /// True where it was heard of within a lease.
    pub alive: bool,
    /// When it was last heard of.
    pub last_seen: Timestamp,
}

/// What jobs go through and may be shut for a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelItem {
    /// Its sort, such as `account`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Until when it is shut; `None` while it is open.
    pub paused_until: Option<Timestamp>,
    /// Why it is shut; `None` while it is open.
    pub reason: Option<String>,
    /// Runs that go through it.
    pub running: u64,
    /// Runs that may go through it at once; `None` is no limit.
    pub max_running: Option<u32>,
    /// Tasks that are known to wait for it.
    pub waiting: u64,
}
