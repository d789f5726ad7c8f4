//! Guards: what a write shows so that whoever lost the job can change nothing.

use orch_core::ids::JobId;
use orch_core::job::Fence;

use crate::engine::Value;
use crate::error::StoreError;

/// Under which condition a decision still applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Guard {
    /// This run still owns the job.
    Run(Fence),
    /// Nobody owns the job: it is queued or held, and was not claimed since.
    Idle {
        /// The job.
        job_id: JobId,
        /// Its epoch when the decision was made.
        run_epoch: u64,
    },
    /// The job is active, whoever owns it, and was not claimed since: an operator's cancellation.
    Any {
        /// The job.
        job_id: JobId,
        /// Its epoch when the decision was made.
        run_epoch: u64,
    },
}

impl Guard {
    /// The job.
    pub fn job_id(&self) -> JobId {
        match self {
            Self::Run(fence) => fence.job_id,
            Self::Idle { job_id, .. } | Self::Any { job_id, .. } => *job_id,
        }
    }

    /// The epoch it shows.
    pub fn run_epoch(&self) -> u64 {
        match self {
            Self::Run(fence) => fence.run_epoch,
            Self::Idle { run_epoch, .. } | Self::Any { run_epoch, .. } => *run_epoch,
        }
    }

    /// The condition on `jobs`, with its three parameters first in the statement.
    pub(crate) fn condition(&self) -> &'static str {
        match self {
            Self::Run(_) => "id = $1 AND run_epoch = $2 AND status = 'running' AND run_id = $3",
            Self::Idle { .. } => {
                "id = $1 AND run_epoch = $2 AND status IN ('queued', 'held') \
                 AND CAST($3 AS TEXT) IS NULL"
            }
            Self::Any { .. } => {
                "id = $1 AND run_epoch = $2 AND status IN ('queued', 'running', 'held') \
                 AND CAST($3 AS TEXT) IS NULL"
            }
        }
    }

    /// The parameters of [`Guard::condition`].
    pub(crate) fn values(&self) -> [Value; 3] {
        let run_id = match self {
            Self::Run(fence) => Value::from(&fence.run_id),
            Self::Idle { .. } | Self::Any { .. } => Value::Null,
        };
        [self.job_id().into(), self.run_epoch().into(), run_id]
    }

    /// What the holder of this guard is told when the job has moved on.
    pub(crate) fn fenced(&self) -> StoreError {
        StoreError::Fenced { job_id: self.job_id(), run_epoch: self.run_epoch() }
    }
}

/// What a fence demands of a row of `jobs`, with `$1`, `$2`, `$3`.
macro_rules! fence_holds {
    () => {
        "id = $1 AND run_epoch = $2 AND status = 'running' AND run_id = $3"
    };
}
pub(crate) use fence_holds;

/// Sets every column of ownership to nothing: every way out of `running` uses it.
macro_rules! no_owner {
    () => {
        "run_id = NULL, worker_id = NULL, pid = NULL, pid_start = NULL, boot_id = NULL, \
         started_at = NULL, lease_until = NULL"
    };
}
pub(crate) use no_owner;

/// Sets every column of a hold to nothing.
macro_rules! no_hold {
    () => {
        "hold_kind = NULL, hold_reason = NULL, held_at = NULL"
    };
}
pub(crate) use no_hold;
