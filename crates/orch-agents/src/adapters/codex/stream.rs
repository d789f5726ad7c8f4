//! The stream of `codex exec --json`.

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde_json::Value;

use crate::events::{
    AgentEvent, Fields, Mapper, Source, Usage, fault_of_text, head, patience_of_text,
};

/// Maps the stream; it needs to remember nothing.
pub(super) struct Codex;

impl Mapper for Codex {
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        if source == Source::Err {
            // A start that fails says so here alone; the rest is a log for people.
            if line.starts_with("Error: ") {
                let fault = Some(fault_of_text(line).unwrap_or(Fault::Other));
                events.push(AgentEvent::Error { fault, message: head(line) });
            }
            return;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            if !line.trim().is_empty() {
                events.push(AgentEvent::Unknown(head(line)));
            }
            return;
        };
        match event.text("type") {
            "thread.started" => {
                events.push(AgentEvent::Session { id: head(event.text("thread_id")) });
            }
            "turn.started" | "item.updated" => {}
            "item.started" => events.extend(started(event.at("item"))),
            "item.completed" => completed(event.at("item"), line, events),
            "error" => failed(event.text("message"), events),
            "turn.completed" => {
                events.push(AgentEvent::Usage(usage(event.at("usage"))));
                events.push(AgentEvent::End { ok: true, fault: None, message: String::new() });
            }
            "turn.failed" => {
                let message = event.at("error").text("message");
                asked(message, events);
                let fault = Some(fault_of_text(message).unwrap_or(Fault::Other));
                events.push(AgentEvent::End { ok: false, fault, message: head(message) });
            }
            _ => events.push(AgentEvent::Unknown(head(line))),
        }
    }
}

fn started(item: &Value) -> Option<AgentEvent> {
    let (name, detail) = match item.text("type") {
        "command_execution" => ("shell", item.text("command")),
        "mcp_tool_call" => (item.text("tool"), item.text("server")),
        "web_search" => ("web_search", item.text("query")),
        _ => return None,
    };
    Some(AgentEvent::ToolCall { name: head(name), detail: head(detail) })
}

fn completed(item: &Value, line: &str, events: &mut Vec<AgentEvent>) {
    match item.text("type") {
        "agent_message" => events.push(AgentEvent::Text(head(item.text("text")))),
        "command_execution" => {
            if item.text("status") == "declined" {
                events.push(AgentEvent::ToolDenied { name: "shell".to_owned() });
            }
            let ok = item.at("exit_code").as_i64() == Some(0);
            let detail = head(item.text("aggregated_output"));
            events.push(AgentEvent::ToolResult { ok, detail });
        }
        "file_change" => {
            let paths = item.items("changes").iter().map(|change| head(change.text("path")));
            events.extend(paths.map(|path| AgentEvent::FileChange { path }));
        }
        "mcp_tool_call" => {
            let ok = item.text("status") == "completed";
            events.push(AgentEvent::ToolResult {
                ok,
                detail: head(item.at("error").text("message")),
            });
        }
        // A warning, such as of a model that it does not know.
        "error" => {
            events.push(AgentEvent::Error { fault: None, message: head(item.text("message")) });
        }
        "reasoning" | "todo_list" | "web_search" => {}
        _ => events.push(AgentEvent::Unknown(head(line))),
    }
}

/// An error of the stream: a try again by itself, or the last word before the turn fails.
fn failed(message: &str, events: &mut Vec<AgentEvent>) {
    let fault = Some(fault_of_text(message).unwrap_or(Fault::Other));
    events.push(if message.starts_with("Reconnecting") {
        AgentEvent::Retry { reason: head(message), fault }
    } else {
        AgentEvent::Error { fault, message: head(message) }
    });
    asked(message, events);
}

fn asked(message: &str, events: &mut Vec<AgentEvent>) {
    if fault_of_text(message) == Some(Fault::RateLimited) {
        events.extend(patience_of_text(message).map(AgentEvent::RateLimited));
    }
}

/// Tokens are those of the whole thread, in earlier runs too; there is no cost.
fn usage(of: &Value) -> Usage {
    let usage = Usage {
        input_tokens: of.number("input_tokens"),
        cached_input_tokens: of.number("cached_input_tokens"),
        output_tokens: of.number("output_tokens"),
        reasoning_tokens: of.number("reasoning_output_tokens"),
        tokens_of: Figure::Session,
        ..Usage::default()
    };
    usage.bounded()
}
