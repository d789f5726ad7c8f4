//! A run met a fault of a channel that is paused for all: its task waits with the others and burns
//! nothing.

use super::{Counts, Decision, Situation};
use crate::breaker::Paused;
use crate::event::EventKind;
use crate::ids::Revision;
use crate::outcome::Outcome;

/// Decides after a run that infrastructure ended while its channel was paused: in flight when it
/// was, or let through as the probe. `head` is the tip of the task's branch, as pushed.
pub fn channel_paused(
    at: Situation<'_>,
    head: Option<Revision>,
    outcome: &Outcome,
    paused: &Paused,
) -> Decision {
    let mut progress = at.task.progress.clone();
    progress.head = head.or(progress.head);
    let what = outcome.reason().unwrap_or(&paused.said);
    let mut decision = at.requeue(progress, at.now, what.to_owned(), Counts::Nothing);
    decision
        .events
        .insert(0, at.event(EventKind::RunEnded, format!("run ended: {}", outcome.kind())));
    decision
}
