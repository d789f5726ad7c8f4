//! Tier 3: a run that lives and does not move. Its supervisor keeps its limits; this is the net
//! under a supervisor that can't: stopped by a signal, or hanging in a call that never returns.

use std::time::Duration;

use crate::outcome::Outcome;

/// How long a run may outlive its absolute limit before its supervisor counts as unable to end it:
/// longer than the politest end of a tree takes.
pub const OVERRUN: Duration = Duration::from_mins(2);

/// What was watched of a run that somebody here drives.
///
/// The durations are of a clock that never jumps and stands still while the machine is suspended,
/// and count from when *this* service began to watch: a clock that was put back or forward, and a
/// night's suspend, end nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watch {
    /// How long it was watched alive.
    pub alive_for: Duration,
    /// How long its supervisor was seen stopped without a break; `None` where it moves.
    pub stopped_for: Option<Duration>,
    /// The run's absolute limit.
    pub timeout: Duration,
    /// The longest silence it is allowed; `None` means no such limit.
    pub stall: Option<Duration>,
}

/// What the run's end would mean if it has to be ended from outside now; `None` where its
/// supervisor can still be left to keep the limits.
pub fn overdue(watch: &Watch) -> Option<Outcome> {
    if watch.alive_for >= watch.timeout.saturating_add(OVERRUN) {
        return Some(Outcome::TimedOut { limit_ms: millis(watch.timeout) });
    }
    let stopped_for = watch.stopped_for?;
    match watch.stall {
        Some(stall) if stopped_for >= stall => Some(Outcome::Stalled { limit_ms: millis(stall) }),
        None if stopped_for >= watch.timeout => {
            Some(Outcome::TimedOut { limit_ms: millis(watch.timeout) })
        }
        _ => None,
    }
}

fn millis(limit: Duration) -> u64 {
    u64::try_from(limit.as_millis()).unwrap_or(u64::MAX)
}
