//! `post-deploy-monitor`: what the looks at a deployed revision lead to. A probe's fault alerts and
//! does no more; a fault of the code takes the revision back.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Judgement, Seen, judge_new};
use crate::ids::Revision;

/// When the monitor acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Faults in a row that are one too many.
    pub consecutive: u32,
    /// Per cent of the looks that saw a fault which are one too many.
    pub percent: u32,
    /// Looks before the percentage counts.
    pub least_looks: u32,
}

/// What a monitor has seen so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Looks that saw something.
    pub looks: u32,
    /// Those of them that saw a fault.
    pub faults: u32,
    /// Faults in a row, up to now.
    pub row: u32,
    /// Looks in a row whose probe failed, up to now.
    pub blind_row: u32,
    /// What the last look showed, in words.
    pub last: String,
}

/// What follows from a look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum WatchStep {
    /// Look again.
    GoOn,
    /// Look again, and tell somebody that the probe fails.
    Blind {
        /// What fails.
        reason: String,
    },
    /// The revision is to be taken back.
    TakeBack {
        /// What was seen.
        evidence: String,
    },
    /// The window is over, and all was well enough.
    Passed,
}

/// Adds a look. `good` is what was seen when the deploy was found good: only what was seen then can
/// have been broken since.
pub fn watched(
    rules: Rules,
    watch: &Watch,
    good: &Seen,
    seen: &Seen,
    revision: &Revision,
    at: Timestamp,
    until: Timestamp,
) -> (Watch, WatchStep) {
    let mut next = Watch { last: seen.to_string(), ..watch.clone() };
    let over = if at >= until { WatchStep::Passed } else { WatchStep::GoOn };
    match judge_new(Some(good), seen, revision) {
        Judgement::Good => {
            next.looks += 1;
            (next.row, next.blind_row) = (0, 0);
            (next, over)
        }
        Judgement::Fault { evidence } => {
            next.looks += 1;
            next.faults += 1;
            next.row += 1;
            next.blind_row = 0;
            let often = next.looks >= rules.least_looks
                && u64::from(next.faults) * 100 >= u64::from(rules.percent) * u64::from(next.looks);
            if next.row >= rules.consecutive || often {
                let evidence = format!(
                    "{evidence} ({} of {} looks saw a fault, {} in a row)",
                    next.faults, next.looks, next.row
                );
                return (next, WatchStep::TakeBack { evidence });
            }
            (next, over)
        }
        Judgement::Blind { reason } | Judgement::Futile { reason } => {
            next.blind_row += 1;
            // Told once per row of failures, when there are as many as would take a revision back.
            let told = next.blind_row == rules.consecutive;
            let step = if at >= until {
                WatchStep::Passed
            } else if told {
                WatchStep::Blind { reason }
            } else {
                WatchStep::GoOn
            };
            (next, step)
        }
    }
}
