//! The next action of a deploy, from its journal.

use serde::{Deserialize, Serialize};

use jiff::Timestamp;

use super::{
    Action, Judgement, Plan, Purpose, Ran, Running, Seen, StepResult, judge_after, judge_new,
    judge_restored,
};
use crate::ids::Revision;

/// An action in the journal of a deploy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What was intended.
    pub action: Action,
    /// What it came to; `None` until it was confirmed.
    pub result: Option<StepResult>,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Record the intent, then do this.
    Act(Action),
    /// The intent stands in the journal and was not confirmed: settle it by looking.
    Repair(Action),
    /// Nothing: this is how it ended, or why it stands.
    End(End),
}

/// How a deploy ended, or why it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum End {
    /// The revision is deployed.
    Done {
        /// What that rests on.
        evidence: String,
    },
    /// A later revision that holds this one is deployed already.
    Superseded {
        /// That revision.
        by: Revision,
    },
    /// It failed and was not, or could not be, rolled back.
    Failed {
        /// Why, and what runs now where that is known.
        reason: String,
        /// Whether the target may be broken now: somebody has to look at once.
        loud: bool,
    },
    /// It failed, and the old revision was brought back.
    RolledBack {
        /// That revision.
        to: Revision,
        /// What the code was at fault for.
        evidence: String,
        /// What the rollback's success rests on.
        verified: String,
    },
    /// It can't go on for now; the journal goes on from here after [`Action::Resume`].
    Stuck(Stuck),
}

/// Why a deploy can't go on for now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// The reason, with the remedy where it is known.
    pub reason: String,
    /// What it waits for.
    pub patience: Patience,
}

/// What a stuck deploy waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Patience {
    /// For a lock, at least until then; nobody's fault.
    Lock(Timestamp),
    /// For something that passes by itself.
    Moment,
    /// For somebody who mends it.
    Somebody,
}

/// The way back, should the deploy go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// It is known to be there.
    Proven {
        /// The revision it leads to.
        to: Revision,
    },
    /// There is none, or nobody knows.
    Unproven {
        /// Why.
        reason: String,
    },
    /// The repository's own check is to be asked.
    Ask {
        /// The revision it would lead to.
        to: Revision,
    },
}

/// Commands that vanished are done again this often before somebody has to look.
const VANISHED: u32 = 2;

/// Decides what comes next. The same journal always gives the same answer.
pub fn next(plan: &Plan, journal: &[Entry]) -> Next {
    let mut standing = Standing::default();
    let mut before_last = standing.clone();
    for entry in journal {
        let Some(result) = &entry.result else { return Next::Repair(entry.action.clone()) };
        if entry.action == Action::Resume {
            // The step at which it stood is done again, under the lock that it takes anew.
            if matches!(decide(plan, &standing), Next::End(End::Stuck(_))) {
                standing = before_last.clone();
            }
            standing.locked = false;
            before_last = standing.clone();
            continue;
        }
        before_last = standing.clone();
        standing.note(&entry.action, result);
    }
    decide(plan, &standing)
}

/// The way back as a journal has it.
pub fn way_back(plan: &Plan, journal: &[Entry]) -> Way {
    let mut standing = Standing::default();
    for entry in journal {
        if let Some(result) = &entry.result {
            standing.note(&entry.action, result);
        }
    }
    standing.way_back(plan)
}

/// What is known after the journal's confirmed entries.
#[derive(Debug, Clone, Default)]
struct Standing {
    locked: bool,
    busy: Option<(String, Timestamp)>,
    last_good: Option<Revision>,
    newer: Option<Revision>,
    before: Option<Seen>,
    proof: Option<Ran>,
    drained: Option<Ran>,
    deployed: Option<Ran>,
    vanished: u32,
    seen: Option<Seen>,
    after: Option<Seen>,
    rolled: Option<(Revision, Ran)>,
    restored: Option<Seen>,
}

impl Standing {
    fn note(&mut self, action: &Action, result: &StepResult) {
        match (action, result) {
            (Action::Lock, StepResult::Busy { by, until }) => {
                self.busy = Some((by.clone(), *until));
            }
            (Action::Lock, StepResult::Locked { last_good, newer, intervened, .. }) => {
                if *intervened {
                    *self = Self::default();
                }
                self.locked = true;
                self.busy = None;
                self.last_good.clone_from(last_good);
                self.newer.clone_from(newer);
            }
            (Action::LookBefore, StepResult::Seen { seen }) => self.before = Some(seen.clone()),
            (Action::ProveRollback { .. }, StepResult::Ran { ran, .. }) => {
                self.proof = Some(ran.clone());
            }
            (Action::Drain, StepResult::Ran { ran, .. }) => self.drained = Some(ran.clone()),
            (Action::Deploy, StepResult::Ran { ran, .. }) => {
                self.vanished += u32::from(matches!(ran, Ran::Vanished { .. }));
                self.deployed = Some(ran.clone());
                (self.seen, self.after) = (None, None);
            }
            (Action::Verify, StepResult::Seen { seen }) => self.seen = Some(seen.clone()),
            (Action::LookAfter, StepResult::Seen { seen }) => self.after = Some(seen.clone()),
            (Action::Rollback { to }, StepResult::Ran { ran, .. }) => {
                self.vanished += u32::from(matches!(ran, Ran::Vanished { .. }));
                self.rolled = Some((to.clone(), ran.clone()));
            }
            (Action::VerifyRollback { .. }, StepResult::Seen { seen }) => {
                self.restored = Some(seen.clone());
            }
            // A result of another action is nothing that a store hands out; it tells nothing.
            _ => {}
        }
    }

    fn way_back(&self, plan: &Plan) -> Way {
        let unproven = |reason: &str| Way::Unproven { reason: reason.to_owned() };
        if !plan.rollback {
            return unproven("no [deploy] rollback_command is set");
        }
        let runs = self.before.as_ref().and_then(|before| before.running.as_ref());
        let seen = match runs {
            Some(Running::Is { revision }) => Some(revision.clone()),
            _ => None,
        };
        let other = |revision: &Revision| *revision != plan.revision;
        let known = seen.filter(other).or_else(|| self.last_good.clone().filter(other));
        let Some(to) = known else {
            return unproven("nobody knows which revision ran before");
        };
        if !plan.rollback_check {
            return Way::Proven { to };
        }
        match &self.proof {
            None => Way::Ask { to },
            Some(Ran::Well) => Way::Proven { to },
            Some(ran) => {
                let reason = format!("rollback_check of {}: {ran}", to.short());
                Way::Unproven { reason }
            }
        }
    }
}

fn stuck(reason: impl Into<String>, patience: Patience) -> Next {
    Next::End(End::Stuck(Stuck { reason: reason.into(), patience }))
}

fn patience(passing: bool) -> Patience {
    if passing { Patience::Moment } else { Patience::Somebody }
}

fn decide(plan: &Plan, at: &Standing) -> Next {
    if let Some((by, until)) = &at.busy {
        return stuck(format!("waits for the deploy target: {by}"), Patience::Lock(*until));
    }
    if !at.locked {
        return Next::Act(Action::Lock);
    }
    if let Purpose::Restore { to, evidence } = &plan.purpose {
        return match &at.newer {
            Some(by) if at.rolled.is_none() => Next::End(End::Superseded { by: by.clone() }),
            _ => roll_back(plan, at, to, evidence),
        };
    }
    match &at.deployed {
        None => prepare(plan, at),
        Some(ran) => deployed(plan, at, ran),
    }
}

/// Everything before the deploy command: nothing has been changed yet.
fn prepare(plan: &Plan, at: &Standing) -> Next {
    if let Some(by) = &at.newer {
        return Next::End(End::Superseded { by: by.clone() });
    }
    if plan.sees() && at.before.is_none() {
        return Next::Act(Action::LookBefore);
    }
    if let Some(Ran::Infra { reason, passing }) = &at.proof {
        return stuck(format!("rollback_check: {reason}"), patience(*passing));
    }
    if let Some(ran @ (Ran::Hung { .. } | Ran::Vanished { .. })) = &at.proof {
        return stuck(format!("rollback_check {ran}"), Patience::Moment);
    }
    match at.way_back(plan) {
        Way::Ask { to } => return Next::Act(Action::ProveRollback { to }),
        Way::Unproven { reason } if plan.require_rollback => {
            let reason = format!(
                "nothing was deployed: [deploy] require_rollback is set and there is no proven way \
                 back ({reason})"
            );
            return stuck(reason, Patience::Somebody);
        }
        Way::Proven { .. } | Way::Unproven { .. } => {}
    }
    match (&at.drained, plan.drain) {
        (None, true) => return Next::Act(Action::Drain),
        // Bounded: whoever does not finish in its time is not waited for.
        (None | Some(Ran::Well | Ran::Hung { .. }), _) => {}
        (Some(Ran::Infra { reason, passing }), _) => {
            return stuck(format!("nothing was deployed: drain: {reason}"), patience(*passing));
        }
        (Some(ran @ Ran::Vanished { .. }), _) => {
            return stuck(format!("nothing was deployed: drain {ran}"), Patience::Moment);
        }
        (Some(ran @ (Ran::Failed { .. } | Ran::Returned { .. })), _) => {
            let reason = format!("nothing was deployed: the drain command ended with {ran}");
            return stuck(reason, Patience::Somebody);
        }
    }
    Next::Act(Action::Deploy)
}

/// After the deploy command.
fn deployed(plan: &Plan, at: &Standing, ran: &Ran) -> Next {
    match ran {
        Ran::Infra { reason, passing } => stuck(format!("deploy: {reason}"), patience(*passing)),
        Ran::Well if plan.sees() => match &at.seen {
            None => Next::Act(Action::Verify),
            Some(seen) => {
                judged(plan, at, judge_new(at.before.as_ref(), seen, &plan.revision), seen)
            }
        },
        Ran::Well => done("the deploy command ended with exit code 0; no probe is configured"),
        Ran::Vanished { reason } => vanished(plan, at, reason),
        Ran::Returned { to, reason } => returned(plan, at, to.as_ref(), reason),
        Ran::Failed { .. } | Ran::Hung { .. } => ended_badly(plan, at, ran),
    }
}

fn done(evidence: impl Into<String>) -> Next {
    Next::End(End::Done { evidence: evidence.into() })
}

fn judged(plan: &Plan, at: &Standing, judgement: Judgement, seen: &Seen) -> Next {
    match judgement {
        Judgement::Good => done(format!("{seen}, after {} looks", seen.looks)),
        Judgement::Fault { evidence } => fault(plan, at, &evidence),
        Judgement::Futile { reason } => Next::End(End::Failed { reason, loud: false }),
        Judgement::Blind { reason } => {
            stuck(format!("neither promoted nor rolled back: {reason}"), Patience::Somebody)
        }
    }
}

/// The command went back by itself: it is looked whether the revision before runs indeed.
fn returned(plan: &Plan, at: &Standing, to: Option<&Revision>, reason: &str) -> Next {
    let Some(to) = to else {
        let reason = format!("{reason}; what ran before runs again, and nobody knows its revision");
        return Next::End(End::Failed { reason, loud: false });
    };
    let end = |verified: String| {
        Next::End(End::RolledBack { to: to.clone(), evidence: reason.to_owned(), verified })
    };
    if !plan.sees() {
        return end("the deploy command itself went back; no probe is configured".to_owned());
    }
    let Some(seen) = &at.restored else {
        return Next::Act(Action::VerifyRollback { to: to.clone() });
    };
    match judge_restored(seen, to) {
        Judgement::Good => end(format!("{seen}, after {} looks", seen.looks)),
        Judgement::Blind { reason: what } => {
            stuck(format!("{reason}; went back to {}, and {what}", to.short()), Patience::Somebody)
        }
        Judgement::Fault { evidence: what } | Judgement::Futile { reason: what } => {
            let reason = format!("{reason}; and going back to {} failed: {what}", to.short());
            Next::End(End::Failed { reason, loud: true })
        }
    }
}

/// Nobody knows how far the command came: what runs is looked at, and it is done again.
fn vanished(plan: &Plan, at: &Standing, reason: &str) -> Next {
    let again = || match at.vanished {
        tries if tries < VANISHED => Next::Act(Action::Deploy),
        tries => {
            let reason = format!("the deploy command vanished {tries} times: {reason}");
            stuck(reason, Patience::Somebody)
        }
    };
    match &at.seen {
        // Without a freshness probe nothing can show that it came to its end.
        _ if !plan.freshness => again(),
        None => Next::Act(Action::Verify),
        Some(seen) => match judge_new(at.before.as_ref(), seen, &plan.revision) {
            Judgement::Good => done(format!("{seen}, after {} looks", seen.looks)),
            Judgement::Blind { reason } => {
                stuck(format!("neither promoted nor rolled back: {reason}"), Patience::Somebody)
            }
            Judgement::Fault { .. } | Judgement::Futile { .. } => again(),
        },
    }
}

/// The command failed or hung.
fn ended_badly(plan: &Plan, at: &Standing, ran: &Ran) -> Next {
    let failed = match ran {
        Ran::Failed { exit_code } => Some(*exit_code),
        _ => None,
    };
    if !plan.sees() {
        return match failed {
            Some(code) => {
                fault(plan, at, &format!("the deploy command ended with exit code {code}"))
            }
            None => stuck(
                format!("the deploy command {ran}, and no probe shows what runs"),
                Patience::Somebody,
            ),
        };
    }
    match &at.after {
        None => Next::Act(Action::LookAfter),
        Some(seen) => {
            let before = at.before.as_ref();
            judged(plan, at, judge_after(before, seen, &plan.revision, failed), seen)
        }
    }
}

/// The code is at fault: back, where the way was proven before anything was deployed.
fn fault(plan: &Plan, at: &Standing, evidence: &str) -> Next {
    match at.way_back(plan) {
        Way::Proven { to } => roll_back(plan, at, &to, evidence),
        Way::Unproven { reason } => Next::End(End::Failed {
            reason: format!("{evidence}; not rolled back: {reason}"),
            loud: true,
        }),
        Way::Ask { to } => Next::End(End::Failed {
            reason: format!("{evidence}; not rolled back: {} was never proven", to.short()),
            loud: true,
        }),
    }
}

fn roll_back(plan: &Plan, at: &Standing, to: &Revision, evidence: &str) -> Next {
    let Some((to, ran)) = &at.rolled else {
        return Next::Act(Action::Rollback { to: to.clone() });
    };
    let broken = |what: String| {
        let reason = format!("{evidence}; and the rollback to {} failed: {what}", to.short());
        Next::End(End::Failed { reason, loud: true })
    };
    match ran {
        Ran::Well => {}
        Ran::Infra { reason, passing } => {
            let reason = format!("{evidence}; the rollback could not be run: {reason}");
            return stuck(reason, patience(*passing));
        }
        Ran::Vanished { .. } if at.vanished <= VANISHED => {
            return Next::Act(Action::Rollback { to: to.clone() });
        }
        Ran::Failed { .. } | Ran::Returned { .. } | Ran::Hung { .. } | Ran::Vanished { .. } => {
            return broken(ran.to_string());
        }
    }
    let end = |verified: String| {
        Next::End(End::RolledBack { to: to.clone(), evidence: evidence.to_owned(), verified })
    };
    if !plan.sees() {
        return end("exit code 0 of the rollback command; no probe is configured".to_owned());
    }
    let Some(seen) = &at.restored else {
        return Next::Act(Action::VerifyRollback { to: to.clone() });
    };
    match judge_restored(seen, to) {
        Judgement::Good => end(format!("{seen}, after {} looks", seen.looks)),
        Judgement::Blind { reason } => stuck(
            format!("{evidence}; rolled back to {}, and {reason}", to.short()),
            Patience::Somebody,
        ),
        Judgement::Fault { evidence: what } | Judgement::Futile { reason: what } => broken(what),
    }
}
