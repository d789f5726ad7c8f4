//! Tier 1: whether a named process lives. A pid alone says nothing: it is reused, and a container
//! that restarts on a machine that did not counts its pids from 1 again under the same boot id.

use crate::process::ProcessIdentity;

/// Whether a named process still does anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// The very process is there and may act.
    Alive,
    /// The very process is there and stands still (SIGSTOP, a debugger); it may go on at any moment.
    Stopped,
    /// It has ended and its parent has not reaped it; it will never act again, although it still
    /// answers `kill(pid, 0)`.
    Zombie,
    /// There is no such process: ended, its pid reused, another boot, or another pid namespace.
    Gone,
}

impl Liveness {
    /// True where the process may still act, now or later.
    pub fn may_act(self) -> bool {
        matches!(self, Self::Alive | Self::Stopped)
    }
}

/// What the process table shows under a pid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nobody has the pid.
    Nobody,
    /// Somebody has it.
    Somebody {
        /// Start time in clock ticks since boot.
        start_time: u64,
        /// It has ended and only waits to be reaped.
        dead: bool,
        /// It was stopped by a signal or is traced.
        stopped: bool,
    },
    /// The table could not be read.
    Unreadable,
}

/// Whether the process so named lives, looked at from `here`: the boot id of the looker, made one
/// with its pid namespace; `None` where that can't be read.
///
/// What could not be looked at counts as alive: a run must not be taken for dead, and started a
/// second time, because somebody failed to look.
pub fn liveness(named: &ProcessIdentity, here: Option<&str>, shown: Shown) -> Liveness {
    match (here, shown) {
        (Some(here), _) if here != named.boot_id => Liveness::Gone,
        (None, _) | (_, Shown::Unreadable) => Liveness::Alive,
        (_, Shown::Nobody) => Liveness::Gone,
        (_, Shown::Somebody { start_time, .. }) if start_time != named.start_time => Liveness::Gone,
        (_, Shown::Somebody { dead: true, .. }) => Liveness::Zombie,
        (_, Shown::Somebody { stopped: true, .. }) => Liveness::Stopped,
        (_, Shown::Somebody { .. }) => Liveness::Alive,
    }
}
