//! What the loops report of themselves: it feeds `GET /queue` and `orch why`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use orch_core::outcome::Outcome;

/// Counters since the service started.
#[derive(Debug, Default)]
pub struct Stats {
    /// The reaper's ticks.
    pub reaper_ticks: AtomicU64,
    /// Jobs taken back from runs that were gone.
    pub reaped: AtomicU64,
    /// Runs found alive after a restart.
    pub adopted: AtomicU64,
    /// Queued jobs with traces of an owner that were cleaned.
    pub impossible_queued: AtomicU64,
    /// Differences mended by the reconciler.
    pub reconciled: AtomicU64,
    /// Branches landed.
    pub landed: AtomicU64,
    /// Branches rejected by a conflict or a guard.
    pub rejected: AtomicU64,
    /// Branches sent to be tested again.
    pub retested: AtomicU64,
    /// The test-runner's outcomes.
    pub testing: RunnerStats,
    /// The staging-runner's outcomes.
    pub staging: RunnerStats,
    last_tick: Mutex<Option<Timestamp>>,
}

/// A runner's outcomes by class.
#[derive(Debug, Default)]
pub struct RunnerStats {
    /// The suite ran and its verdict counted.
    pub suite_ran: AtomicU64,
    /// The environment has to be mended.
    pub permanent_env: AtomicU64,
    /// A passing fault.
    pub transient_infra: AtomicU64,
    /// Nobody can tell what failed.
    pub unknown: AtomicU64,
    /// Somebody asked for the end.
    pub cancelled: AtomicU64,
}

impl RunnerStats {
    /// Counts one outcome.
    pub fn count(&self, outcome: &Outcome) {
        let counter = match outcome {
            Outcome::SuiteRan { .. } => &self.suite_ran,
            // Budgets and questions stop agents, never a runner.
            Outcome::PermanentEnv { .. }
            | Outcome::Unproven { .. }
            | Outcome::OverBudget { .. }
            | Outcome::NeedsInput { .. } => &self.permanent_env,
            Outcome::TransientInfra { .. }
            | Outcome::RateLimited { .. }
            | Outcome::TimedOut { .. }
            | Outcome::Stalled { .. }
            | Outcome::Lost { .. } => &self.transient_infra,
            Outcome::Unknown { .. } | Outcome::AgentStuck { .. } | Outcome::OverDisk { .. } => {
                &self.unknown
            }
            Outcome::Cancelled => &self.cancelled,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl Stats {
    /// Notes that the reaper looked around.
    pub fn reaper_ticked(&self, now: Timestamp) {
        self.reaper_ticks.fetch_add(1, Ordering::Relaxed);
        *self.last_tick.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// When the reaper looked around last.
    pub fn last_tick(&self) -> Option<Timestamp> {
        *self.last_tick.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
