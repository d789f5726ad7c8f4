//! From what was seen to what is believed: the one place where a fault is put down to the code.

use super::{Health, Running, Seen};
use crate::ids::Revision;

/// What is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Judgement {
    /// All is as it should be.
    Good,
    /// The deployed code is at fault; a rollback may mend it.
    Fault {
        /// What was seen.
        evidence: String,
    },
    /// It is not as it should be, and a rollback would mend nothing.
    Futile {
        /// Why.
        reason: String,
    },
    /// It can't be told: a probe failed, or nobody ever saw through it.
    Blind {
        /// What is missing.
        reason: String,
    },
}

fn blind(reason: impl Into<String>) -> Judgement {
    Judgement::Blind { reason: reason.into() }
}

/// Whether a probe itself failed.
fn blinded(seen: &Seen) -> Option<Judgement> {
    let health = seen.health.as_ref().and_then(Health::unreachable);
    let running = seen.running.as_ref().and_then(Running::unreachable);
    match (health, running) {
        (Some(what), _) => Some(blind(format!("the health probe failed: {what}"))),
        (None, Some(what)) => Some(blind(format!("the freshness probe failed: {what}"))),
        (None, None) => None,
    }
}

/// Whether a health that is not good is the deployed code's doing; `None` where it is good or not
/// looked at. Only what was healthy through the same probe before can have been broken.
fn unhealthy(before: Option<&Seen>, seen: &Seen) -> Option<Judgement> {
    let earlier = before.and_then(|before| before.health.as_ref());
    let health = seen.health.as_ref()?;
    Some(match (health, earlier) {
        (Health::Healthy, _) => return None,
        (Health::Unreachable { what }, _) => blind(what.as_str()),
        (Health::Unhealthy { .. } | Health::Down { .. }, Some(Health::Healthy)) => {
            Judgement::Fault { evidence: format!("{health}, and it was healthy before the deploy") }
        }
        (Health::Unhealthy { .. }, Some(Health::Unhealthy { what })) => Judgement::Futile {
            reason: format!("{health}; before the deploy it was no better ({what})"),
        },
        (Health::Unhealthy { .. }, _) => Judgement::Futile {
            reason: format!("{health}; nobody saw it healthy before the deploy either"),
        },
        (Health::Down { .. }, _) => blind(format!(
            "{health}, and it never answered through this probe: a service that crashed looks the \
             same as a probe that can't reach it"
        )),
    })
}

/// Judges after a deploy command that ended well.
pub fn judge_new(before: Option<&Seen>, seen: &Seen, wanted: &Revision) -> Judgement {
    if let Some(judgement) = blinded(seen).or_else(|| unhealthy(before, seen)) {
        return judgement;
    }
    let earlier = before.and_then(|before| before.running.as_ref());
    match &seen.running {
        None => Judgement::Good,
        Some(Running::Is { revision }) if revision == wanted => Judgement::Good,
        Some(now @ (Running::Is { .. } | Running::Other { .. })) if Some(now) == earlier => {
            Judgement::Futile {
                reason: format!(
                    "the deploy command ended with 0 and changed nothing: it still {now}, not {}",
                    wanted.short()
                ),
            }
        }
        Some(now @ (Running::Is { .. } | Running::Other { .. })) => Judgement::Fault {
            evidence: format!("it {now}, neither {} nor what ran before", wanted.short()),
        },
        Some(now) => silent(earlier, seen, now),
    }
}

/// Judges what a deploy command left behind that failed or hung. `failed` is what it said.
pub fn judge_after(
    before: Option<&Seen>,
    seen: &Seen,
    wanted: &Revision,
    failed: Option<i32>,
) -> Judgement {
    if let Some(judgement) = blinded(seen).or_else(|| unhealthy(before, seen)) {
        return judgement;
    }
    let earlier = before.and_then(|before| before.running.as_ref());
    let Some(code) = failed else {
        return blind(match &seen.running {
            Some(Running::Is { revision }) if revision == wanted => {
                "the deploy command did not end in time, although the new revision runs; let it \
                 end by itself, or raise [deploy] timeout"
                    .to_owned()
            }
            Some(running) => format!("the deploy command did not end in time; it {running}"),
            None => "the deploy command did not end in time".to_owned(),
        });
    };
    match &seen.running {
        Some(now @ (Running::Is { .. } | Running::Other { .. })) if Some(now) != earlier => {
            Judgement::Fault {
                evidence: format!("the deploy command ended with {code} halfway: it {now}"),
            }
        }
        Some(Running::Is { .. } | Running::Other { .. }) | None => Judgement::Futile {
            reason: format!(
                "the deploy command ended with {code}; what ran before goes on running"
            ),
        },
        Some(now) => silent(earlier, seen, now),
    }
}

/// The freshness probe reached nobody who says a revision.
fn silent(earlier: Option<&Running>, seen: &Seen, now: &Running) -> Judgement {
    let answered = earlier.is_some_and(Running::answers);
    if answered && seen.health.is_none() {
        return Judgement::Fault { evidence: format!("it {now}, and it did before the deploy") };
    }
    blind(format!("it {now}"))
}

/// Judges after a rollback: the old revision has to run and be healthy again.
pub fn judge_restored(seen: &Seen, to: &Revision) -> Judgement {
    if let Some(judgement) = blinded(seen) {
        return judgement;
    }
    let healthy = matches!(seen.health, None | Some(Health::Healthy));
    let runs = match &seen.running {
        None => true,
        Some(Running::Is { revision }) => revision == to,
        Some(_) => false,
    };
    if healthy && runs {
        return Judgement::Good;
    }
    Judgement::Futile { reason: format!("after the rollback to {}: {seen}", to.short()) }
}
