//! Somebody cancels a task: its job ends with it, whatever the job was doing.

use super::{Decision, NotAllowed, Situation, Step, TaskEnd};
use crate::event::EventKind;

/// Decides a cancellation. A running run finds itself fenced off and is killed by its worker.
pub fn cancelled(at: Situation<'_>, reason: &str) -> Result<Decision, NotAllowed> {
    if at.task.progress.merged.is_some() {
        let reason =
            "its branch has landed already; a landed task can only go on to its end".to_owned();
        return Err(NotAllowed { key: at.task.key.clone(), reason });
    }
    Ok(Decision {
        step: Step::End(TaskEnd::Cancelled { reason: reason.to_owned() }),
        progress: at.task.progress.clone(),
        events: vec![at.event(EventKind::TaskCancelled, format!("cancelled: {reason}"))],
        alerts: vec![],
    })
}
