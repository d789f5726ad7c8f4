//! How an agent's run ended (S6): a class for every end, from what the process did and what the
//! agent's own stream told. Exit 0 is not success: a CLI that closes its stream has to say that it
//! is done, and something has to be there afterwards.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outcome, Worked, classify};
use crate::process::{ExitCause, RunExit};
use crate::verdict::tail;

/// What went wrong, as a provider or an agent's program reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The provider asks for patience (429).
    RateLimited,
    /// The provider refuses the login, or the account can't pay (401, 402, 403).
    AuthBroken,
    /// The provider is overloaded or broken for a moment (5xx, 529).
    Overloaded,
    /// The provider can't be reached, or its answer breaks off or is rubbish.
    Unreachable,
    /// The conversation no longer fits into the model's context.
    ContextOverflow,
    /// The model refuses to go on.
    Refusal,
    /// The answer reached the model's longest.
    OutputLimit,
    /// The session that was to be resumed is not there.
    SessionGone,
    /// The provider does not take the request: an unknown model, a wrong parameter (400, 404).
    BadRequest,
    /// An error of no known sort.
    Other,
}

/// A fault with the words that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// What went wrong.
    pub fault: Fault,
    /// The program's own words; may be empty.
    pub said: String,
}

/// What an agent told of its end on its own stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Its closing event: whether it says that it succeeded; `None` where none came.
    pub closed: Option<bool>,
    /// The last fault that no progress followed.
    pub fault: Option<Reported>,
    /// Until when the provider asked for patience.
    pub patience_until: Option<Timestamp>,
    /// Tools that it was not allowed to use.
    pub denied: Vec<String>,
}

/// What a program's end has to show before it counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demands {
    /// Its stream closes with an event of success.
    pub closing: bool,
    /// A change or an artifact is there.
    pub change: bool,
}

/// How an agent's run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentEnd {
    /// It says that it is done, and something is there for the gate to judge.
    Done,
    /// It says that it is done and left nothing at all.
    NothingDone,
    /// It left nothing and was not allowed to use tools.
    ToolDenied {
        /// Which.
        tools: Vec<String>,
    },
    /// The provider asks for patience.
    RateLimited {
        /// Until when.
        until: Timestamp,
    },
    /// A fault ended it.
    Faulty(Reported),
    /// Silence, or its absolute limit, or somebody's wish, ended it; or it never started.
    Ended(Outcome),
    /// It took too many steps, or the same one again and again.
    Looping {
        /// How many.
        steps: u32,
        /// Whether they were the same one in a row.
        same: bool,
    },
    /// It exited with 0 and its stream broke off before its closing event.
    Unfinished,
    /// It exited with another code, or a signal ended it, and it did not say why.
    Crashed(Outcome),
}

/// Why going on in the same session leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stuck {
    /// The conversation no longer fits into the model's context.
    ContextOverflow,
    /// The model refuses to go on.
    Refusal,
    /// The answer reached the model's longest.
    OutputLimit,
    /// It goes in circles.
    Looping,
    /// It ends as if done and leaves nothing.
    NothingDone,
    /// The session that was to be resumed is not there.
    SessionGone,
}

/// How long to wait where the provider asks for patience and does not say for how long.
pub const RATE_LIMIT_WAIT: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// The most of a program's words in a reason, in bytes.
const MAX_SAID: usize = 300;

impl AgentEnd {
    /// Derives the end. `changed` says whether the run left a change or an artifact.
    pub fn of(exit: &RunExit, told: &Told, demands: Demands, changed: bool) -> Self {
        let says_done = told.closed == Some(true);
        match &exit.cause {
            ExitCause::Looping { steps, same } => Self::Looping { steps: *steps, same: *same },
            // One that has said that it is done and then does not go is done.
            ExitCause::TimedOut { .. } | ExitCause::Stalled { .. } if says_done => {
                done(told, demands, changed)
            }
            ExitCause::TimedOut { .. } | ExitCause::Stalled { .. } => match &told.fault {
                Some(fault) => faulty(fault, told, exit),
                None => Self::Ended(classify(Worked::Agent, exit)),
            },
            ExitCause::OverDisk { .. } | ExitCause::Cancelled | ExitCause::SpawnFailed { .. } => {
                Self::Ended(classify(Worked::Agent, exit))
            }
            ExitCause::Exited { code: 0 } if says_done => done(told, demands, changed),
            ExitCause::Exited { code: 0 } => match (&told.fault, told.closed) {
                (Some(fault), Some(false)) => faulty(fault, told, exit),
                (Some(fault), None) if demands.change => faulty(fault, told, exit),
                (None, Some(false)) => faulty(&unsaid(), told, exit),
                (_, None) if demands.closing => Self::Unfinished,
                _ => done(told, demands, changed),
            },
            ExitCause::Exited { .. } | ExitCause::Signaled { .. } => match &told.fault {
                Some(fault) => faulty(fault, told, exit),
                None => Self::Crashed(classify(Worked::Agent, exit)),
            },
        }
    }

    /// What the end means for the task. `again` says that an earlier run of the same job was stuck
    /// in the same way, in a session of its own.
    pub fn outcome(&self, again: bool) -> Outcome {
        match self {
            Self::Done => Outcome::SuiteRan { exit_code: 0 },
            Self::NothingDone => stuck(
                Stuck::NothingDone,
                "the agent ended as if done and left neither a change nor an artifact".to_owned(),
                again,
            ),
            Self::ToolDenied { tools } => Outcome::PermanentEnv {
                reason: format!(
                    "the agent left nothing and was not allowed to use {}; allow it by `args` in \
                     [agents.*], or ask for something that needs it not",
                    tools.join(", ")
                ),
            },
            Self::RateLimited { until } => Outcome::RateLimited { until: *until },
            Self::Faulty(reported) => of_fault(reported, again),
            Self::Ended(outcome) | Self::Crashed(outcome) => outcome.clone(),
            Self::Looping { steps, same } => {
                let what = if *same { "the same step {} times in a row" } else { "{} steps" };
                let what = what.replace("{}", &steps.to_string());
                stuck(Stuck::Looping, format!("the agent went in circles: {what}"), again)
            }
            Self::Unfinished => Outcome::TransientInfra {
                reason: "the agent's stream broke off before it said that it was done".to_owned(),
            },
        }
    }

    /// The fault that ended it; `None` where none did.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Faulty(reported) => Some(reported.fault),
            _ => None,
        }
    }

    /// The class as one word, for logs and tables.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NothingDone => "nothing_done",
            Self::ToolDenied { .. } => "tool_denied",
            Self::RateLimited { .. } => "rate_limited",
            Self::Faulty(reported) => reported.fault.word(),
            Self::Ended(outcome) => outcome.kind(),
            Self::Looping { .. } => "looping",
            Self::Unfinished => "unfinished",
            Self::Crashed(_) => "crashed",
        }
    }
}

impl Fault {
    /// The class as one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::AuthBroken => "auth_broken",
            Self::Overloaded => "overloaded",
            Self::Unreachable => "unreachable",
            Self::ContextOverflow => "context_overflow",
            Self::Refusal => "refusal",
            Self::OutputLimit => "output_limit",
            Self::SessionGone => "session_gone",
            Self::BadRequest => "bad_request",
            Self::Other => "error",
        }
    }
}

fn done(told: &Told, demands: Demands, changed: bool) -> AgentEnd {
    if changed || !demands.change {
        return AgentEnd::Done;
    }
    if told.denied.is_empty() {
        return AgentEnd::NothingDone;
    }
    let mut tools = told.denied.clone();
    tools.sort_unstable();
    tools.dedup();
    AgentEnd::ToolDenied { tools }
}

fn unsaid() -> Reported {
    Reported { fault: Fault::Other, said: "it says that it failed, and not why".to_owned() }
}

fn faulty(reported: &Reported, told: &Told, exit: &RunExit) -> AgentEnd {
    if reported.fault != Fault::RateLimited {
        return AgentEnd::Faulty(reported.clone());
    }
    let later = || exit.finished_at.checked_add(RATE_LIMIT_WAIT).unwrap_or(exit.finished_at);
    AgentEnd::RateLimited { until: told.patience_until.unwrap_or_else(later) }
}

fn of_fault(reported: &Reported, again: bool) -> Outcome {
    let said = tail(reported.said.trim(), MAX_SAID);
    let with =
        |what: &str| if said.is_empty() { what.to_owned() } else { format!("{what}: {said}") };
    let transient = |what| Outcome::TransientInfra { reason: with(what) };
    match reported.fault {
        Fault::AuthBroken => Outcome::PermanentEnv {
            reason: with("the provider refuses the agent's login; mend its key or log in anew"),
        },
        Fault::BadRequest => Outcome::PermanentEnv {
            reason: with(
                "the provider does not take the agent's requests; look at its model and settings",
            ),
        },
        Fault::RateLimited => transient("the provider asks for patience"),
        Fault::Overloaded => transient("the provider is overloaded"),
        Fault::Unreachable => transient("the provider could not be reached or broke off"),
        Fault::Other => transient("the agent met an error"),
        Fault::ContextOverflow => {
            stuck(Stuck::ContextOverflow, with("the conversation no longer fits the model"), again)
        }
        Fault::Refusal => stuck(Stuck::Refusal, with("the model refuses to go on"), again),
        Fault::OutputLimit => {
            stuck(Stuck::OutputLimit, with("an answer reached the model's longest"), again)
        }
        Fault::SessionGone => {
            stuck(Stuck::SessionGone, with("the session to be resumed is not there"), again)
        }
    }
}

fn stuck(how: Stuck, reason: String, again: bool) -> Outcome {
    Outcome::AgentStuck { how, reason, again }
}

#[cfg(test)]
mod tests;
