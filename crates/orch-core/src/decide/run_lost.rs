//! A running job's run is gone: the reaper takes the job back (S3).

use super::{Counts, Decision, Policy, Situation};
use crate::event::EventKind;

/// How a run was found to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// It was claimed and never started: the service died in between. Nobody's fault.
    NeverStarted,
    /// It ran and left no exit behind.
    Vanished {
        /// How it was noticed.
        reason: String,
    },
}

/// Decides after the reaper found a run gone. The task loses nothing; a job whose run vanishes
/// again and again is held.
pub fn run_lost(at: Situation<'_>, loss: &Loss, policy: &Policy) -> Decision {
    let progress = at.task.progress.clone();
    let (mut decision, message) = match loss {
        Loss::NeverStarted => {
            let reason = "the service stopped before the run began".to_owned();
            (at.requeue(progress, at.now, reason.clone(), Counts::Nothing), reason)
        }
        Loss::Vanished { reason } => (at.crashed(progress, reason, policy), reason.clone()),
    };
    decision.events.insert(0, at.event(EventKind::RunReaped, format!("run reaped: {message}")));
    decision
}
