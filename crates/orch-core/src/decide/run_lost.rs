//! A running job's run is gone: the reaper takes the job back (S3).
//!
//! A job has a counter of its own for this. It rises where the service, the worker or the
//! supervisor died over the job; a run that a restarted service adopts is not lost, and a service
//! that was stopped in order did not die. So an operator may upgrade as often as they like, and a
//! job that takes its worker down is held before it does so for ever.

use super::{Counts, Decision, Policy, Situation};
use crate::event::EventKind;

/// How a run was found to be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// Its service died, or gave up driving it, before its processes began; or while it did the
    /// work itself.
    NeverStarted,
    /// It ran and left no exit behind.
    Vanished {
        /// How it was noticed.
        reason: String,
    },
    /// Its service was stopped in order before it began, or its machine or container ended after
    /// that. Nobody's fault.
    Stopped,
}

/// Decides after the reaper found a run gone. The task loses nothing; a job that takes its worker
/// down again and again is held.
pub fn run_lost(at: Situation<'_>, loss: &Loss, policy: &Policy) -> Decision {
    let progress = at.task.progress.clone();
    let (mut decision, message) = match loss {
        Loss::NeverStarted => {
            let reason = "the service died before the run began";
            (at.crashed(progress, reason, policy), reason.to_owned())
        }
        Loss::Vanished { reason } => (at.crashed(progress, reason, policy), reason.clone()),
        Loss::Stopped => {
            let reason = "the service was stopped and the run ended with it".to_owned();
            (at.requeue(progress, at.now, reason.clone(), Counts::Nothing), reason)
        }
    };
    decision.events.insert(0, at.event(EventKind::RunReaped, format!("run reaped: {message}")));
    decision
}
