//! A deploy waits for its target, which another one has; or a run for room on the disk.

use jiff::Timestamp;

use super::{Counts, Decision, Situation};

/// Sends the job back to the queue; nobody is at fault, and no counter rises.
pub fn deploy_waits(at: Situation<'_>, until: Timestamp, reason: &str) -> Decision {
    let progress = at.task.progress.clone();
    at.requeue(progress, until.max(at.now), reason.to_owned(), Counts::Nothing)
}
