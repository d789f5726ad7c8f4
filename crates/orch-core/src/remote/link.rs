//! Whether a connection that ended is made again.

use std::time::Duration;

use super::{Fault, FaultKind, RemoteEnd};

/// How far the far side was seen to have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// It never answered: the work can't have been started.
    Never,
    /// It answered, and the work may have been started.
    Perhaps,
    /// The work was seen to be there.
    Seen,
}

/// How one connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The frame came and was believed.
    Framed(super::Frame),
    /// Something is wrong.
    Faulty(Fault),
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Connect again after this pause, and attach to what is there.
    Again(Duration),
    /// It is over.
    Over(RemoteEnd),
}

/// The first pause before a lost link is tried again; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// What follows after a connection. `lost_for` is how long nothing has been heard of the far side,
/// `losses` how many connections in a row ended so, `patience` how long that may go on. A run that
/// nobody has seen is left at once: a later try starts it no worse.
pub fn next(
    progress: Progress,
    attempt: Attempt,
    losses: u32,
    lost_for: Duration,
    patience: Duration,
) -> Next {
    let fault = match attempt {
        Attempt::Framed(frame) => return Next::Over(RemoteEnd::Framed(frame)),
        Attempt::Faulty(fault) => fault,
    };
    let known = progress > Progress::Never;
    if known && fault.kind.is_of_the_link() && lost_for < patience {
        let pause = FIRST_PAUSE.saturating_mul(1 << losses.min(10));
        return Next::Again(pause.min(LONGEST_PAUSE));
    }
    if known && fault.kind == FaultKind::Other {
        return Next::Over(RemoteEnd::Faulty(Fault::new(FaultKind::Dropped, fault.said)));
    }
    Next::Over(RemoteEnd::Faulty(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faulty(kind: FaultKind) -> Attempt {
        Attempt::Faulty(Fault::new(kind, "x"))
    }

    #[test]
    fn a_lost_link_is_picked_up_for_as_long_as_there_is_patience() {
        let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
        let again = |losses, lost_for| {
            next(Progress::Seen, faulty(FaultKind::Dropped), losses, lost_for, minute)
        };
        assert_eq!(again(0, Duration::ZERO), Next::Again(FIRST_PAUSE));
        assert_eq!(again(1, second), Next::Again(second));
        assert_eq!(again(40, second), Next::Again(LONGEST_PAUSE));
        assert!(matches!(again(3, minute), Next::Over(RemoteEnd::Faulty(_))));
    }

    #[test]
    fn what_never_answered_and_what_is_wrong_for_good_is_over() {
        let minute = Duration::from_mins(1);
        for (progress, kind) in [
            (Progress::Never, FaultKind::Refused),
            (Progress::Never, FaultKind::Other),
            (Progress::Seen, FaultKind::HostKeyChanged),
            (Progress::Seen, FaultKind::Killed),
            (Progress::Seen, FaultKind::ForeignFrame),
            (Progress::Perhaps, FaultKind::MissingProgram),
        ] {
            let over = next(progress, faulty(kind), 0, Duration::ZERO, minute);
            let Next::Over(RemoteEnd::Faulty(fault)) = over else { panic!("{kind:?}: {over:?}") };
            assert_eq!(fault.kind, kind);
        }
    }
}
