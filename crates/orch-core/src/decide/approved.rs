//! A human approves a stage that waits for approval.

use super::{Decision, NotAllowed, Situation};
use crate::event::EventKind;
use crate::job::{HoldKind, JobState};

/// Decides an approval: the one verdict of a human stage.
pub fn approved(at: Situation<'_>, by: &str) -> Result<Decision, NotAllowed> {
    let waits =
        matches!(&at.job.state, JobState::Held { hold, .. } if hold.kind == HoldKind::Approval);
    let stage = at.task.pipeline.stage(&at.job.stage).filter(|_| waits);
    let Some(stage) = stage else {
        let reason = format!(
            "it does not wait for approval; it is {} at {}",
            at.job.state.status(),
            at.job.stage
        );
        return Err(NotAllowed { key: at.task.key.clone(), reason });
    };
    let mut decision = at.advance(stage, at.task.progress.clone());
    decision
        .events
        .insert(0, at.event(EventKind::TaskApproved, format!("{} approved by {by}", stage.name)));
    Ok(decision)
}
