//! What the model answers, before it is put into a dialect.

use super::conversation::Conversation;
use super::scenario::Scenario;
use super::script;
use super::tools::{self, Call};

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// All is said, or a tool is called.
    Normal,
    /// The model declines.
    Refusal,
    /// The limit of output tokens.
    MaxTokens,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// What is said.
    pub(super) text: Option<String>,
    /// The tool called.
    pub(super) call: Option<Call>,
    /// Why it ends.
    pub(super) stop: Stop,
}

/// The answer to a conversation and the scenario it is given in, which the script may have changed.
pub(super) fn answer(
    conversation: &Conversation,
    scenario: Scenario,
) -> Result<(Answer, Scenario), String> {
    let said = |text: &str, stop| Answer { text: Some(text.to_owned()), call: None, stop };
    if conversation.tools.is_empty() && scenario == Scenario::Ok {
        // A title or a summary is asked for: no turn of the work.
        return Ok((said("Work as scripted", Stop::Normal), scenario));
    }
    let (prompt, done) = conversation.prompt();
    let turn = script::turn(prompt, done)?;
    let scenario = match turn.fault {
        Some(fault) if scenario == Scenario::Ok => fault,
        _ => scenario,
    };
    let answer = match scenario {
        Scenario::Empty => Answer { text: None, call: None, stop: Stop::Normal },
        Scenario::Refusal => said("I can't help with that.", Stop::Refusal),
        Scenario::MaxTokens => said("And then, and then, and", Stop::MaxTokens),
        _ => {
            let call = turn.act.map(|act| tools::call(&act, conversation)).transpose()?;
            Answer { text: turn.text, call, stop: Stop::Normal }
        }
    };
    Ok((answer, scenario))
}
