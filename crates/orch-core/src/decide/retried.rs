//! Somebody sets a held or waiting task going again: from the same stage, no retry burnt.

use super::{Counts, Decision, NotAllowed, Situation, Step};
use crate::event::EventKind;
use crate::job::{HoldKind, JobState};

/// Decides an operator's retry. A used-up budget begins anew; a deferred job becomes due at once.
pub fn retried(at: Situation<'_>) -> Result<Decision, NotAllowed> {
    let refuse =
        |reason: &str| Err(NotAllowed { key: at.task.key.clone(), reason: reason.to_owned() });
    let mut progress = at.task.progress.clone();
    match &at.job.state {
        JobState::Queued { .. } => {}
        JobState::Held { hold, .. } => match hold.kind {
            HoldKind::Approval => return refuse("it waits for approval; approve it, or cancel it"),
            HoldKind::Budget => {
                progress.attempts = 0;
                progress.bounces = 0;
                progress.retests = 0;
            }
            HoldKind::Infra
            | HoldKind::Spend
            | HoldKind::Config
            | HoldKind::Deploy
            | HoldKind::Question => {}
        },
        JobState::Running(_) => return refuse("it is running; there is nothing to retry"),
        JobState::Finished { .. } => return refuse("it is over; submit a new task instead"),
    }
    Ok(at.set_going(progress, EventKind::TaskRetried, "retried by an operator".to_owned()))
}

/// Decides after the fault that held a task, and others, was mended: what [`retried`] does, by
/// nobody's wish.
pub fn mended(at: Situation<'_>) -> Result<Decision, NotAllowed> {
    match &at.job.state {
        JobState::Held { hold, .. } if hold.kind == HoldKind::Infra => {}
        _ => {
            let reason = "no fault of infrastructure holds it any more".to_owned();
            return Err(NotAllowed { key: at.task.key.clone(), reason });
        }
    }
    let why = "the fault that held it is mended".to_owned();
    Ok(at.set_going(at.task.progress.clone(), EventKind::TaskRetried, why))
}

impl Situation<'_> {
    /// The job goes back to the queue with fresh counters, due at once.
    pub(super) fn set_going(
        &self,
        progress: crate::task::Progress,
        kind: EventKind,
        reason: String,
    ) -> Decision {
        Decision {
            events: vec![self.event(kind, reason.clone())],
            step: Step::Requeue { available_at: self.now, reason, counts: Counts::Reset },
            progress,
            alerts: vec![],
        }
    }
}
