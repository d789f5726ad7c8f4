//! A human answers: the answer goes into the next brief, and a held task is set going with it.

use super::{Decision, NotAllowed, Situation};
use crate::event::EventKind;
use crate::job::{HoldKind, JobState};
use crate::verdict::Finding;

/// Decides an answer to a held task.
pub fn answered(at: Situation<'_>, answer: &str) -> Result<Decision, NotAllowed> {
    let JobState::Held { hold, .. } = &at.job.state else {
        let reason =
            format!("it asked nothing; it is {} at {}", at.job.state.status(), at.job.stage);
        return Err(NotAllowed { key: at.task.key.clone(), reason });
    };
    if hold.kind == HoldKind::Approval {
        let reason =
            "it waits for approval, not for an answer; approve it, or cancel it".to_owned();
        return Err(NotAllowed { key: at.task.key.clone(), reason });
    }
    let mut progress = at.task.progress.clone();
    if hold.kind == HoldKind::Budget {
        progress.attempts = 0;
        progress.bounces = 0;
        progress.retests = 0;
    }
    let said = if hold.kind == HoldKind::Question {
        format!("You asked: {}\n\nThe answer: {answer}", hold.reason)
    } else {
        answer.to_owned()
    };
    progress.feedback.push(Finding::new("Answer from a human").with_detail(&said));
    Ok(at.set_going(progress, EventKind::TaskAnswered, "answered by an operator".to_owned()))
}
