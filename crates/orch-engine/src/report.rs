//! What the engine reports of itself, for `GET /queue` and `GET /status`.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use orch_core::ids::WorkerId;
use orch_core::serial_gate::GatePolicy;

use crate::engine::Engine;
use crate::stats::RunnerStats;

/// What the engine reports of itself.
#[derive(Debug, Clone)]
pub struct EngineReport {
    /// When the service started.
    pub started_at: Timestamp,
    /// The version of the program.
    pub version: &'static str,
    /// The worker of this state directory.
    pub worker: WorkerId,
    /// Runs it may drive at once.
    pub capacity: u32,
    /// Runs it drives.
    pub running: u32,
    /// The serial gate's policy.
    pub gate: GatePolicy,
    /// The reaper.
    pub reaper: ReaperReport,
    /// The test-runner.
    pub testing: RunnerReport,
    /// The staging-runner.
    pub staging: RunnerReport,
    /// The merge gate.
    pub merge_gate: MergeGateReport,
    /// Differences mended by the reconciler.
    pub reconciled_total: u64,
}

/// The reaper's report.
#[derive(Debug, Clone)]
pub struct ReaperReport {
    /// When it looked around last.
    pub last_tick_at: Option<Timestamp>,
    /// How often it looked.
    pub ticks_total: u64,
    /// Jobs taken back.
    pub reaped_total: u64,
    /// Runs taken up again.
    pub adopted_total: u64,
    /// Impossible rows cleaned.
    pub impossible_queued_total: u64,
    /// The sanitizer's kill-switch.
    pub sanitize_enabled: bool,
}

/// A runner's report.
#[derive(Debug, Clone)]
pub struct RunnerReport {
    /// Suites that ran.
    pub suite_ran: u64,
    /// Environments to mend.
    pub permanent_env: u64,
    /// Passing faults.
    pub transient_infra: u64,
    /// Nobody can tell what failed.
    pub unknown: u64,
    /// Somebody asked for the end.
    pub cancelled: u64,
}

/// The merge gate's report.
#[derive(Debug, Clone)]
pub struct MergeGateReport {
    /// Branches landed.
    pub landed: u64,
    /// Branches rejected.
    pub rejected: u64,
    /// Branches sent to be tested again.
    pub retested: u64,
}

/// Reads the counters.
pub fn report(engine: &Engine) -> EngineReport {
    let stats = &engine.stats;
    EngineReport {
        started_at: engine.started_at,
        version: engine.version,
        worker: engine.worker.clone(),
        capacity: engine.settings.max_concurrency,
        running: engine.active.len() as u32,
        gate: engine.settings.gate,
        reaper: ReaperReport {
            last_tick_at: stats.last_tick(),
            ticks_total: read(&stats.reaper_ticks),
            reaped_total: read(&stats.reaped),
            adopted_total: read(&stats.adopted),
            impossible_queued_total: read(&stats.impossible_queued),
            sanitize_enabled: engine.settings.sanitize_enabled,
        },
        testing: runner(&stats.testing),
        staging: runner(&stats.staging),
        merge_gate: MergeGateReport {
            landed: read(&stats.landed),
            rejected: read(&stats.rejected),
            retested: read(&stats.retested),
        },
        reconciled_total: read(&stats.reconciled),
    }
}

fn runner(stats: &RunnerStats) -> RunnerReport {
    RunnerReport {
        suite_ran: read(&stats.suite_ran),
        permanent_env: read(&stats.permanent_env),
        transient_infra: read(&stats.transient_infra),
        unknown: read(&stats.unknown),
        cancelled: read(&stats.cancelled),
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
