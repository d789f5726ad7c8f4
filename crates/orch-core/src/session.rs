//! Sessions of agents: a run can take up the conversation of an earlier one, so that what was read
//! and thought is not paid for twice (S6).

use serde::{Deserialize, Serialize};

use crate::outcome::Outcome;

/// The longest name of a session that is believed, in bytes.
const MAX_ID: usize = 200;

/// The session in which a run worked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSession {
    /// The adapter that made it, by its name in `orch.toml`; another one can't resume it.
    pub adapter: String,
    /// Its name, as the agent's program spells it.
    pub id: String,
}

/// Whether a name from an agent's stream can be a session's: it becomes an argument and part of a
/// file's name.
pub fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty()
        && text.len() <= MAX_ID
        && !text.starts_with(['-', '.'])
        && text.chars().all(plain)
}

/// Whether the next run of the same role goes on in the session of one that ended so. `None` is a
/// run without a recorded end. What was stuck begins afresh.
pub fn goes_on(end: Option<&Outcome>) -> bool {
    !matches!(end, Some(Outcome::AgentStuck { .. } | Outcome::PermanentEnv { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Stuck;

    #[test]
    fn names_that_could_be_options_or_paths_are_not_believed() {
        for good in ["01a21370-67e9-7361-b18f-27d5939de9a8", "ses_1", "a.b"] {
            assert!(is_id(good), "{good}");
        }
        let long = "x".repeat(201);
        for bad in ["", "-r", "../x", "a/b", ".hidden", "a b", "a\0", "é", long.as_str()] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    #[test]
    fn what_was_stuck_begins_afresh_and_everything_else_goes_on() {
        let stuck = |how| Outcome::AgentStuck { how, reason: String::new(), again: false };
        for how in [Stuck::ContextOverflow, Stuck::Refusal, Stuck::SessionGone, Stuck::Looping] {
            assert!(!goes_on(Some(&stuck(how))), "{how:?}");
        }
        let lost = Outcome::Lost { reason: "reboot".into() };
        let overloaded = Outcome::TransientInfra { reason: "529".into() };
        for end in [&lost, &overloaded, &Outcome::Cancelled, &Outcome::SuiteRan { exit_code: 0 }] {
            assert!(goes_on(Some(end)), "{end:?}");
        }
        assert!(goes_on(None));
    }
}
