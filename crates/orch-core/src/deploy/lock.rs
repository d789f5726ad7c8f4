//! The lock of a deploy target: one deploy at a time across tasks, repositories and workers. A
//! lease tells whether its owner lives; an epoch refuses an owner who comes back too late.

use jiff::Timestamp;

use crate::ids::{DeployId, WorkerId};

/// Who has a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The deploy.
    pub deploy: DeployId,
    /// The worker that drives it.
    pub worker: WorkerId,
    /// Until when the claim holds without a heartbeat.
    pub lease_until: Timestamp,
    /// Until when a command of its own may be at work even though its owner is dead: its
    /// supervisor ends it by then. `None` where none was begun.
    pub busy_until: Option<Timestamp>,
}

/// A lock as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockState {
    /// Rises with every taking.
    pub epoch: u64,
    /// `None` where it is free.
    pub held: Option<Held>,
}

/// Whether a deploy gets a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Grant {
    /// It does.
    Granted {
        /// From which dead owner it is taken over, with the evidence; `None` where it was free or
        /// its own.
        taken_over: Option<String>,
    },
    /// Somebody has it.
    Refused {
        /// Not to be asked for again before this moment.
        until: Timestamp,
        /// Why.
        reason: String,
    },
}

/// Decides whether `deploy` gets the lock. `now` is the clock that wrote the lease; a lease that
/// ends this very moment still holds.
pub fn may_take(lock: &LockState, deploy: DeployId, now: Timestamp) -> Grant {
    let Some(held) = lock.held.as_ref().filter(|held| held.deploy != deploy) else {
        return Grant::Granted { taken_over: None };
    };
    let Held { deploy, worker, lease_until, busy_until } = held;
    if *lease_until >= now {
        return Grant::Refused {
            until: *lease_until,
            reason: format!("deploy {deploy} on {worker} has it"),
        };
    }
    if let Some(until) = busy_until.filter(|until| *until >= now) {
        return Grant::Refused {
            until,
            reason: format!(
                "deploy {deploy} on {worker}, which is gone, may have left a command at work"
            ),
        };
    }
    let evidence = format!(
        "deploy {deploy} on {worker}: its lease ran out at {lease_until}, and no command of its \
         can be at work any more"
    );
    Grant::Granted { taken_over: Some(evidence) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A deploy, when its lease ends, and until when its command may be at work.
    type Owner = (i64, i64, Option<i64>);

    #[test]
    fn a_lock_is_taken_over_only_from_the_dead() {
        let table: &[(Option<Owner>, &str)] = &[
            (None, "free"),
            (Some((7, 100, None)), "free"),
            (Some((7, 200, Some(900))), "free"),
            (Some((8, 99, None)), "over"),
            (Some((8, 99, Some(99))), "over"),
            (Some((8, 99, Some(100))), "100"),
            (Some((8, 99, Some(900))), "900"),
            (Some((8, 100, None)), "100"),
            (Some((8, 130, Some(900))), "130"),
        ];
        for (held, expected) in table {
            let held = held.map(|(deploy, lease, busy)| Held {
                deploy: DeployId(deploy),
                worker: WorkerId::new("w").unwrap(),
                lease_until: at(lease),
                busy_until: busy.map(at),
            });
            let said = match may_take(&LockState { epoch: 1, held }, DeployId(7), at(100)) {
                Grant::Granted { taken_over: None } => "free".to_owned(),
                Grant::Granted { taken_over: Some(_) } => "over".to_owned(),
                Grant::Refused { until, .. } => until.as_second().to_string(),
            };
            assert_eq!(said, *expected);
        }
    }
}
