//! What makes two faults the same one: the channel, and the words without what differs from run to
//! run.

use super::{CauseId, Channel};
use crate::outcome::Outcome;

/// The longest text of a fault, in characters: what tells faults apart stands at the beginning.
const LONGEST: usize = 200;

/// A fault of a channel.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signature {
    /// Where it failed.
    pub channel: Channel,
    /// What failed, as [`fault_of`] gives it.
    pub fault: String,
}

impl Signature {
    /// The name of this cause.
    pub fn cause(&self) -> CauseId {
        CauseId::of([&self.channel.to_string(), &self.fault])
    }
}

/// What failed, without numbers, paths and quoted names; `None` where no fault of infrastructure is
/// known: a suite that ran, one that proves nothing, one that was ended or of which nobody can tell.
pub fn fault_of(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::TransientInfra { reason } | Outcome::PermanentEnv { reason } => {
            Some(normalised(reason)).filter(|fault| !fault.is_empty())
        }
        Outcome::SuiteRan { .. }
        | Outcome::Unproven { .. }
        | Outcome::RateLimited { .. }
        | Outcome::OverBudget { .. }
        | Outcome::OverDisk { .. }
        | Outcome::NeedsInput { .. }
        | Outcome::TimedOut { .. }
        | Outcome::Stalled { .. }
        | Outcome::Lost { .. }
        | Outcome::Unknown { .. }
        | Outcome::AgentStuck { .. }
        | Outcome::Cancelled => None,
    }
}

fn normalised(reason: &str) -> String {
    let mut fault = String::new();
    for word in reason.split_whitespace() {
        let plain = word.trim_end_matches([':', ',', '.', ';']);
        let end = &word[plain.len()..];
        let word = match plain {
            _ if plain.contains('/') || plain.contains('\\') => "…",
            _ if plain.contains(|c: char| c.is_ascii_digit()) => "#",
            _ => plain,
        };
        let space = if fault.is_empty() { "" } else { " " };
        let more = format!("{space}{}{end}", word.to_lowercase());
        if fault.chars().count() + more.chars().count() > LONGEST {
            break;
        }
        fault.push_str(&more);
    }
    fault
}
