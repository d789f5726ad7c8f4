//! The reaper's decisions (S3), as functions of values: whether a named process lives, where a run
//! stands by what it left on the disk, what is to be done about a running job that nobody drives,
//! and when a run that somebody drives has to be ended from outside.
//!
//! Three tiers, in this order. *Identity*: an own run counts by its very process, however long the
//! service was away and whatever the clocks say. *Lease*: a run of another worker can't be looked
//! at and counts by its lease alone. *Stall*: a run that lives and does nothing is ended by its
//! supervisor, and by the reaper where the supervisor itself stands still.

mod identity;
mod observation;
mod stall;

pub use identity::{Liveness, Shown, liveness};
pub use observation::{Holder, Observation, Traces, observed};
pub use stall::{OVERRUN, Watch, overdue};

use jiff::Timestamp;

use crate::decide::Loss;
use crate::ids::WorkerId;
use crate::job::Ownership;

/// What is known of a running job that nobody here drives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sighting<'a> {
    /// Whether this worker claimed it.
    pub mine: bool,
    /// Whether its lease has run out, by the store's clock.
    pub lease_over: bool,
    /// Whether its work is done inside the service, without a supervisor.
    pub inside: bool,
    /// Whether its work is done inside the service and goes on from records of its own, wherever it
    /// was cut off: a deploy.
    pub goes_on: bool,
    /// What its run directory shows; `None` where it can't be looked at: another worker's, or work
    /// inside the service.
    pub seen: Option<&'a Observation>,
    /// Whether the service that drove it was stopped in order, and what ended the run since is the
    /// end of its machine or container: nobody crashed.
    pub orderly: bool,
}

impl<'a> Sighting<'a> {
    /// What `me` sees of a job with this owner. `now` is the store's clock, which also wrote the
    /// lease; a lease that ends this very moment still holds.
    pub fn of(owner: &Ownership, me: &WorkerId, now: Timestamp) -> Self {
        Self {
            mine: owner.worker_id == *me,
            lease_over: owner.lease_until < now,
            ..Self::default()
        }
    }

    /// The same job with what its run directory shows.
    #[must_use]
    pub fn showing(self, seen: Option<&'a Observation>) -> Self {
        Self { seen, ..self }
    }
}

/// What is to be done about a running job that nobody here drives.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Finding {
    /// Its supervisor lives, or has left an exit, or its records say where it stands: drive the run
    /// from there.
    TakeUp,
    /// Its supervisor is just starting: look again on the next tick.
    Wait,
    /// Its run is gone: take the job back.
    Gone(Loss),
    /// Another worker has it and its lease holds.
    Elsewhere,
}

/// Decides about one job: identity first, then the lease.
pub fn judge(at: &Sighting<'_>) -> Finding {
    if !at.mine {
        let reason = "its worker's lease ran out".to_owned();
        return if at.lease_over {
            Finding::Gone(Loss::Vanished { reason })
        } else {
            Finding::Elsewhere
        };
    }
    if at.goes_on {
        return Finding::TakeUp;
    }
    let unbegun = || Finding::Gone(if at.orderly { Loss::Stopped } else { Loss::NeverStarted });
    if at.inside {
        return unbegun();
    }
    match at.seen {
        Some(Observation::Running(_) | Observation::Exited(_)) => Finding::TakeUp,
        Some(Observation::Starting) => Finding::Wait,
        Some(Observation::Lost { .. }) if at.orderly => Finding::Gone(Loss::Stopped),
        Some(Observation::Lost { reason }) => {
            Finding::Gone(Loss::Vanished { reason: reason.clone() })
        }
        Some(Observation::NotStarted | Observation::Revoked) | None => unbegun(),
    }
}

#[cfg(test)]
mod tests;
