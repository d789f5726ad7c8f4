//! The run's limits as a pure function of moments.
//!
//! Moments are `Instant`s, which on Linux count `CLOCK_MONOTONIC`: it stands still while the
//! machine is suspended, so a laptop that sleeps over lunch does not time its runs out.

use std::time::{Duration, Instant};

use orch_core::process::ExitCause;

use crate::spec::{RunSpec, whole_millis};

/// When the run has to be ended.
#[derive(Debug)]
pub(super) struct Deadlines {
    timeout: Duration,
    /// `None` where the limit lies beyond what the clock can count.
    timeout_at: Option<Instant>,
    stall: Option<Duration>,
    last_output: Instant,
}

impl Deadlines {
    /// Limits of a run whose child was started at `now`.
    pub(super) fn new(spec: &RunSpec, now: Instant) -> Self {
        Self {
            timeout: spec.timeout,
            timeout_at: now.checked_add(spec.timeout),
            stall: spec.stall,
            last_output: now,
        }
    }

    /// Notes that something was printed.
    pub(super) fn output_seen(&mut self, now: Instant) {
        self.last_output = now;
    }

    /// The limit that has passed, the absolute one first.
    pub(super) fn overdue(&self, now: Instant) -> Option<ExitCause> {
        if self.timeout_at.is_some_and(|at| now >= at) {
            return Some(ExitCause::TimedOut { limit_ms: whole_millis(self.timeout) });
        }
        let stall = self.stall?;
        (self.stall_at()? <= now).then(|| ExitCause::Stalled { limit_ms: whole_millis(stall) })
    }

    /// How long until a limit may pass, at most `longest`.
    pub(super) fn pause(&self, now: Instant, longest: Duration) -> Duration {
        [self.timeout_at, self.stall_at()]
            .into_iter()
            .flatten()
            .map(|at| at.saturating_duration_since(now))
            .fold(longest, Duration::min)
    }

    fn stall_at(&self) -> Option<Instant> {
        self.last_output.checked_add(self.stall?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(timeout: Duration, stall: Option<Duration>, now: Instant) -> Deadlines {
        Deadlines { timeout, timeout_at: now.checked_add(timeout), stall, last_output: now }
    }

    #[test]
    fn output_postpones_the_stall_and_never_the_timeout() {
        let start = Instant::now();
        let s = Duration::from_secs;
        let mut deadlines = limits(s(10), Some(s(3)), start);
        assert_eq!(deadlines.overdue(start + s(2)), None);
        assert_eq!(deadlines.pause(start + s(2), s(60)), s(1));
        assert_eq!(deadlines.overdue(start + s(3)), Some(ExitCause::Stalled { limit_ms: 3000 }));
        deadlines.output_seen(start + s(9));
        assert_eq!(deadlines.overdue(start + s(9)), None);
        assert_eq!(deadlines.pause(start + s(9), s(60)), s(1));
        assert_eq!(
            deadlines.overdue(start + s(10)),
            Some(ExitCause::TimedOut { limit_ms: 10_000 })
        );
        assert_eq!(deadlines.pause(start + s(99), s(60)), Duration::ZERO);
    }

    #[test]
    fn endless_limits_are_no_limits() {
        let start = Instant::now();
        let deadlines = limits(Duration::MAX, Some(Duration::MAX), start);
        assert_eq!(deadlines.overdue(start + Duration::from_secs(1 << 40)), None);
        assert_eq!(deadlines.pause(start, Duration::from_secs(1)), Duration::from_secs(1));
    }
}
