//! The lines of `orch acp-client`: the protocol's own updates, each in an object whose key `acp`
//! says what it is.

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde_json::Value;

use crate::events::{AgentEvent, Fields, Mapper, Source, Usage, fault_of_text, head};

/// The most of a message that is put together from its pieces, in bytes.
const MAX_MESSAGE: usize = 4 * 1024;

/// Maps the stream.
#[derive(Default)]
pub(super) struct Acp {
    /// What the agent has said since its last tool call.
    said: String,
    /// The session's cost so far, in US dollars; `None` where the agent does not say.
    cost: Option<f64>,
}

impl Mapper for Acp {
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        if source == Source::Err {
            return;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            if !line.trim().is_empty() {
                events.push(AgentEvent::Unknown(head(line)));
            }
            return;
        };
        match event.text("acp") {
            "session" => events.push(AgentEvent::Session { id: head(event.text("id")) }),
            "update" => self.update(event.at("update"), line, events),
            "permission" if event.at("granted") == false => {
                events.push(AgentEvent::ToolDenied { name: head(event.text("tool")) });
            }
            "permission" => {}
            "result" => self.ended(&event, events),
            "error" => events.push(failed(&event)),
            _ => events.push(AgentEvent::Unknown(head(line))),
        }
    }
}

impl Acp {
    fn update(&mut self, update: &Value, line: &str, events: &mut Vec<AgentEvent>) {
        match update.text("sessionUpdate") {
            "agent_message_chunk" => {
                let text = update.at("content").text("text");
                if self.said.len() + text.len() <= MAX_MESSAGE {
                    self.said.push_str(text);
                }
                events.push(AgentEvent::Text(head(text)));
            }
            "tool_call" => {
                self.said.clear();
                let name = named(update);
                events.push(AgentEvent::ToolCall { name, detail: head(update.text("title")) });
                answered(update, events);
            }
            "tool_call_update" => answered(update, events),
            "usage_update" => {
                let told = update.at("cost").at("amount").as_f64();
                self.cost = told.filter(|usd| *usd > 0.0).or(self.cost);
            }
            "agent_thought_chunk"
            | "user_message_chunk"
            | "plan"
            | "current_mode_update"
            | "available_commands_update"
            | "config_option_update"
            | "session_info_update" => {}
            _ => events.push(AgentEvent::Unknown(head(line))),
        }
    }

    fn ended(&self, event: &Value, events: &mut Vec<AgentEvent>) {
        events.push(AgentEvent::Usage(self.usage(event.at("usage"))));
        let fault = match event.text("stop_reason") {
            // Some agents end their turn as if well and say in words that the provider failed.
            "end_turn" => provider_failed(&self.said),
            "max_tokens" => Some(Fault::OutputLimit),
            "refusal" => Some(Fault::Refusal),
            _ => Some(Fault::Other),
        };
        let message = if fault.is_some() { self.said.as_str() } else { "" };
        events.push(AgentEvent::End { ok: fault.is_none(), fault, message: head(message) });
    }

    /// Tokens are those of the turn, cost is that of the session.
    fn usage(&self, of: &Value) -> Usage {
        let count = |names: [&str; 2]| names.iter().map(|name| of.number(name)).max().unwrap_or(0);
        let cached = of.number("cachedReadTokens");
        let written = of.number("cachedWriteTokens");
        let read = count(["inputTokens", "input_tokens"]);
        let usage = Usage {
            input_tokens: read.saturating_add(cached).saturating_add(written),
            cached_input_tokens: cached,
            output_tokens: count(["outputTokens", "output_tokens"]),
            reasoning_tokens: of.number("thoughtTokens"),
            cost_usd: self.cost,
            tokens_of: Figure::Step,
            cost_of: Figure::Session,
            ..Usage::default()
        };
        usage.bounded()
    }
}

fn named(call: &Value) -> String {
    let kind = call.text("kind");
    head(if kind.is_empty() { call.text("title") } else { kind })
}

/// What a call that has ended says: whether it did what was asked, and which files it changed.
fn answered(call: &Value, events: &mut Vec<AgentEvent>) {
    let ok = match call.text("status") {
        "completed" => true,
        "failed" => false,
        _ => return,
    };
    let content = call.items("content");
    let said = content.first().map_or("", |first| first.at("content").text("text"));
    events.push(AgentEvent::ToolResult { ok, detail: head(said) });
    let changes = content.iter().filter(|item| ok && item.text("type") == "diff");
    events.extend(changes.map(|diff| AgentEvent::FileChange { path: head(diff.text("path")) }));
}

/// The words by which a provider's failure is told as if it were the model's: at the beginning of
/// what was said last, or else anybody who writes about such failures would be taken for one.
fn provider_failed(said: &str) -> Option<Fault> {
    let said = said.trim_start();
    let known = ["unexpected status ", "exceeded retry limit", "stream disconnected", "API Error"];
    known.iter().any(|words| said.starts_with(words)).then(|| fault_of_text(said)).flatten()
}

fn failed(event: &Value) -> AgentEvent {
    let (message, data) = (event.text("message"), event.at("data"));
    let more = ["details", "message"].map(|key| data.text(key));
    let more = more.into_iter().chain(data.as_str()).find(|more| !more.is_empty());
    let said = more.map_or_else(|| message.to_owned(), |more| format!("{message}: {more}"));
    // The protocol's own code for a login that is wanted.
    let login = (event.at("code") == -32000 && said.to_lowercase().contains("auth"))
        .then_some(Fault::AuthBroken);
    let fault = login.or_else(|| fault_of_text(&said)).unwrap_or(Fault::Other);
    AgentEvent::End { ok: false, fault: Some(fault), message: head(&said) }
}
