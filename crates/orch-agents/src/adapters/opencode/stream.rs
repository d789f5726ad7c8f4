//! The stream of `opencode run --format json`.

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde_json::Value;

use crate::events::{
    AgentEvent, Fields, Mapper, Source, Usage, fault_of_status, fault_of_text, head,
};

/// Maps the stream; it needs to remember nothing.
pub(super) struct Opencode;

impl Mapper for Opencode {
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        if source == Source::Err {
            events.extend(of_people(line));
            return;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            if !line.trim().is_empty() {
                events.push(AgentEvent::Unknown(head(line)));
            }
            return;
        };
        let part = event.at("part");
        match event.text("type") {
            "step_start" => events.push(AgentEvent::Session { id: head(event.text("sessionID")) }),
            "text" => events.push(AgentEvent::Text(head(part.text("text")))),
            "tool_use" => tool(part, events),
            "step_finish" => finished(part, events),
            "error" => events.push(failed(event.at("error"))),
            "reasoning" => {}
            _ => events.push(AgentEvent::Unknown(head(line))),
        }
    }
}

/// Its log and the errors of its start, which stand on standard error alone.
fn of_people(line: &str) -> Option<AgentEvent> {
    if !line.starts_with("timestamp=") {
        let error = || AgentEvent::Error { fault: Some(of_start(line)), message: head(line) };
        return line.contains("Error: ").then(error);
    }
    // What a session's title is made by fails in its own way, and nothing comes of it.
    let ours = line.contains("message=\"stream error\"") && line.contains(" small=false ");
    let said = line.split_once("error.error=").map(|(_, said)| said.trim_matches('"'))?;
    let fault = Some(fault_of_text(said).unwrap_or(Fault::Overloaded));
    ours.then(|| AgentEvent::Retry { reason: head(said), fault })
}

fn of_start(line: &str) -> Fault {
    let lower = line.to_ascii_lowercase();
    if lower.contains("session") && lower.contains("not found") {
        return Fault::SessionGone;
    }
    fault_of_text(line).unwrap_or(Fault::Other)
}

/// A tool is told once it has answered.
fn tool(part: &Value, events: &mut Vec<AgentEvent>) {
    let state = part.at("state");
    let (name, input) = (part.text("tool"), state.at("input"));
    let path = input.text("filePath");
    let detail = if path.is_empty() { input.text("command") } else { path };
    events.push(AgentEvent::ToolCall { name: head(name), detail: head(detail) });
    let refused = state.text("error");
    if refused.contains("permission") || refused.contains("rejected") {
        events.push(AgentEvent::ToolDenied { name: head(name) });
    }
    let exit = state.at("metadata").at("exit").as_i64().unwrap_or_default();
    let ok = state.text("status") == "completed" && exit == 0 && name != "invalid";
    let said = if refused.is_empty() { state.text("output") } else { refused };
    events.push(AgentEvent::ToolResult { ok, detail: head(said) });
    if ok && matches!(name, "write" | "edit" | "multiedit" | "patch") && !path.is_empty() {
        events.push(AgentEvent::FileChange { path: head(path) });
    }
}

/// The last step closes the run: nothing else does.
fn finished(part: &Value, events: &mut Vec<AgentEvent>) {
    events.push(AgentEvent::Usage(usage(part)));
    let end = |ok, fault, message: &str| AgentEvent::End { ok, fault, message: message.to_owned() };
    match part.text("reason") {
        "stop" => events.push(end(true, None, "")),
        "length" => events.push(end(false, Some(Fault::OutputLimit), "length")),
        "content-filter" => events.push(end(false, Some(Fault::Refusal), "content-filter")),
        // What came was no answer; it asks again by itself.
        "unknown" => events.push(AgentEvent::Retry {
            reason: "an answer broke off".to_owned(),
            fault: Some(Fault::Unreachable),
        }),
        _ => {}
    }
}

fn failed(error: &Value) -> AgentEvent {
    let data = error.at("data");
    let message = data.text("message");
    let fault = match error.text("name") {
        "ContextOverflowError" => Fault::ContextOverflow,
        "ContentFilterError" => Fault::Refusal,
        "MessageOutputLengthError" => Fault::OutputLimit,
        "ProviderAuthError" => Fault::AuthBroken,
        name => fault_of_status(data.number("statusCode"))
            .or_else(|| fault_of_text(message))
            .unwrap_or(if name == "UnknownError" { Fault::Unreachable } else { Fault::Other }),
    };
    AgentEvent::End { ok: false, fault: Some(fault), message: head(message) }
}

/// Each step tells what it alone consumed.
fn usage(part: &Value) -> Usage {
    let tokens = part.at("tokens");
    let cache = tokens.at("cache");
    let (cached, written) = (cache.number("read"), cache.number("write"));
    let thought = tokens.number("reasoning");
    let usage = Usage {
        input_tokens: tokens.number("input").saturating_add(cached).saturating_add(written),
        cached_input_tokens: cached,
        output_tokens: tokens.number("output").saturating_add(thought),
        reasoning_tokens: thought,
        // It says 0 of a model whose price it does not know.
        cost_usd: part.at("cost").as_f64().filter(|usd| *usd > 0.0),
        tokens_of: Figure::Step,
        cost_of: Figure::Step,
        ..Usage::default()
    };
    usage.bounded()
}
