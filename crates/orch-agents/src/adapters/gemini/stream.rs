//! The stream of `gemini --output-format stream-json`.

use std::collections::BTreeMap;

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde_json::Value;

use crate::events::{
    AgentEvent, Fields, Mapper, Source, Usage, fault_of_status, fault_of_text, head,
};

/// The most calls whose files are remembered until they answer.
const MAX_OPEN: usize = 64;

/// Maps the stream.
#[derive(Default)]
pub(super) struct Gemini {
    /// The file that an unanswered call writes.
    writes: BTreeMap<String, String>,
}

impl Mapper for Gemini {
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        if source == Source::Err {
            // Its retries, and a start that fails, stand here alone.
            events.extend(of_people(line));
            return;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            if !line.trim().is_empty() {
                events.push(AgentEvent::Unknown(head(line)));
            }
            return;
        };
        match event.text("type") {
            "init" => events.push(AgentEvent::Session { id: head(event.text("session_id")) }),
            "message" if event.text("role") == "assistant" => {
                events.push(AgentEvent::Text(head(event.text("content"))));
            }
            "message" => {}
            "tool_use" => events.push(self.called(&event)),
            "tool_result" => self.answered(&event, events),
            "error" => {
                let message = event.text("message");
                let fault = (event.text("severity") != "warning").then(|| fault(message));
                events.push(AgentEvent::Error { fault, message: head(message) });
            }
            "result" => result(&event, events),
            _ => events.push(AgentEvent::Unknown(head(line))),
        }
    }
}

impl Gemini {
    fn called(&mut self, event: &Value) -> AgentEvent {
        let (name, with) = (event.text("tool_name"), event.at("parameters"));
        let path = with.text("file_path");
        if matches!(name, "write_file" | "replace") && self.writes.len() < MAX_OPEN {
            self.writes.insert(head(event.text("tool_id")), head(path));
        }
        let detail = if path.is_empty() { with.text("command") } else { path };
        AgentEvent::ToolCall { name: head(name), detail: head(detail) }
    }

    fn answered(&mut self, event: &Value, events: &mut Vec<AgentEvent>) {
        let ok = event.text("status") == "success";
        let error = event.at("error");
        let said = if ok { event.text("output") } else { error.text("message") };
        events.push(AgentEvent::ToolResult { ok, detail: head(said) });
        if let Some(path) = self.writes.remove(event.text("tool_id")).filter(|_| ok) {
            events.push(AgentEvent::FileChange { path });
        }
    }
}

fn of_people(line: &str) -> Option<AgentEvent> {
    if line.starts_with("Attempt ") {
        let fault = Some(fault_of_text(line).unwrap_or(Fault::Overloaded));
        return Some(AgentEvent::Retry { reason: head(line), fault });
    }
    if line.contains("Error resuming session") || line.contains("No previous sessions found") {
        let fault = Some(Fault::SessionGone);
        return Some(AgentEvent::Error { fault, message: head(line) });
    }
    let login = line.contains("Invalid auth method") || line.contains("Please set an Auth method");
    let fault = login.then_some(Fault::AuthBroken);
    fault.map(|fault| AgentEvent::Error { fault: Some(fault), message: head(line) })
}

fn result(event: &Value, events: &mut Vec<AgentEvent>) {
    events.push(AgentEvent::Usage(usage(event.at("stats"))));
    let ok = event.text("status") == "success";
    let error = event.at("error");
    let message = error.text("message");
    let fault = (!ok).then(|| fault(message));
    events.push(AgentEvent::End { ok, fault, message: head(message) });
}

/// It passes the provider's document on, or words of its own.
fn fault(message: &str) -> Fault {
    let document = message.find('{').and_then(|at| {
        let mut values = serde_json::Deserializer::from_str(&message[at..]).into_iter::<Value>();
        values.next()?.ok()
    });
    let inner = document.unwrap_or_default();
    let code = inner.at("error").number("code");
    let words = fault_of_text(message);
    match fault_of_status(code) {
        Some(Fault::BadRequest) => words.unwrap_or(Fault::BadRequest),
        None => words.unwrap_or(Fault::Other),
        Some(status) => status,
    }
}

/// What this process consumed; there is no cost.
fn usage(stats: &Value) -> Usage {
    let usage = Usage {
        input_tokens: stats.number("input_tokens"),
        cached_input_tokens: stats.number("cached"),
        output_tokens: stats.number("output_tokens"),
        tokens_of: Figure::Step,
        ..Usage::default()
    };
    usage.bounded()
}
