//! The stream of `claude -p --output-format stream-json --verbose`.

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde_json::Value;

use crate::events::{
    AgentEvent, Fields, Mapper, Patience, Source, Usage, fault_of_status, fault_of_text, head,
};

/// Maps the stream; it needs to remember nothing.
#[derive(Default)]
pub(in crate::adapters) struct Claude;

impl Mapper for Claude {
    fn line(&mut self, source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        if source == Source::Err {
            // What it says there is for people, but for a start that fails.
            events.extend(fault_of_text(line).map(|fault| error(Some(fault), line)));
            return;
        }
        let Ok(event @ Value::Object(_)) = serde_json::from_str::<Value>(line) else {
            if !line.trim().is_empty() {
                events.push(AgentEvent::Unknown(head(line)));
            }
            return;
        };
        match event.text("type") {
            "system" => system(&event, line, events),
            "assistant" => assistant(&event, events),
            "user" => answered(&event, events),
            "rate_limit_event" => events.extend(limited(event.at("rate_limit_info"))),
            "result" => result(&event, events),
            _ => events.push(AgentEvent::Unknown(head(line))),
        }
    }
}

fn error(fault: Option<Fault>, message: &str) -> AgentEvent {
    AgentEvent::Error { fault, message: head(message) }
}

fn system(event: &Value, line: &str, events: &mut Vec<AgentEvent>) {
    match event.text("subtype") {
        "init" => events.push(AgentEvent::Session { id: head(event.text("session_id")) }),
        "api_retry" => {
            let status = event.number("error_status");
            let what = event.text("error");
            let fault = fault_of_status(status).or_else(|| fault_of_text(what));
            let reason = if status == 0 { what.to_owned() } else { format!("{status} {what}") };
            events.push(AgentEvent::Retry {
                reason: head(&reason),
                fault: Some(fault.unwrap_or(Fault::Unreachable)),
            });
            // A long wait is the provider's wish; a short one is its own back-off.
            let seconds = event.number("retry_delay_ms") / 1000;
            if fault == Some(Fault::RateLimited) && seconds >= 60 {
                events.push(AgentEvent::RateLimited(Patience::Seconds(seconds)));
            }
        }
        _ => events.push(AgentEvent::Unknown(head(line))),
    }
}

fn assistant(event: &Value, events: &mut Vec<AgentEvent>) {
    // A message that the program itself wrote about an error: its `result` says the same.
    if event.at("message").text("model") == "<synthetic>" {
        return;
    }
    for item in event.at("message").items("content") {
        match item.text("type") {
            "text" => events.push(AgentEvent::Text(head(item.text("text")))),
            "tool_use" => events.push(AgentEvent::ToolCall {
                name: head(item.text("name")),
                detail: detail(item.at("input")),
            }),
            _ => {}
        }
    }
}

/// What a tool is used for, in few words.
fn detail(input: &Value) -> String {
    let plain = ["command", "file_path", "path", "pattern", "url", "query", "description"];
    let found = plain.iter().map(|key| input.text(key)).find(|text| !text.is_empty());
    found.map_or_else(|| head(&input.to_string()), head)
}

fn answered(event: &Value, events: &mut Vec<AgentEvent>) {
    let results = event.at("message").items("content").iter();
    for item in results.filter(|item| item.text("type") == "tool_result") {
        let ok = !item.at("is_error").as_bool().unwrap_or_default();
        let content = item.at("content");
        let first = || content.get(0).map_or("", |first| first.text("text"));
        let said = content.as_str().unwrap_or_else(first);
        events.push(AgentEvent::ToolResult { ok, detail: head(said) });
    }
    let change = event.at("tool_use_result");
    if change.get("structuredPatch").is_some() && !change.text("filePath").is_empty() {
        events.push(AgentEvent::FileChange { path: head(change.text("filePath")) });
    }
}

fn limited(info: &Value) -> Option<AgentEvent> {
    let rejected = info.text("status") == "rejected";
    let seconds = i64::try_from(info.number("resetsAt")).ok()?;
    let until = jiff::Timestamp::from_second(seconds).ok().filter(|_| seconds > 0);
    let patience = until.map_or(Patience::Seconds(0), Patience::Until);
    rejected.then_some(AgentEvent::RateLimited(patience))
}

fn result(event: &Value, events: &mut Vec<AgentEvent>) {
    events.push(AgentEvent::Usage(usage(event)));
    let denied = event.items("permission_denials").iter();
    events.extend(denied.map(|one| AgentEvent::ToolDenied { name: head(one.text("tool_name")) }));
    // A failure of the API has the subtype `success` all the same.
    let ok = !event.at("is_error").as_bool().unwrap_or(true) && event.text("subtype") == "success";
    let message = message(event);
    let fault = if ok { None } else { Some(fault(event, &message)) };
    events.push(AgentEvent::End { ok, fault, message: head(&message) });
}

fn message(event: &Value) -> String {
    let errors: Vec<&str> = event.items("errors").iter().filter_map(Value::as_str).collect();
    let said = event.text("result");
    if said.is_empty() && errors.is_empty() {
        return event.text("subtype").to_owned();
    }
    if errors.is_empty() { said.to_owned() } else { errors.join("; ") }
}

fn fault(event: &Value, message: &str) -> Fault {
    if event.text("terminal_reason") == "prompt_too_long" {
        return Fault::ContextOverflow;
    }
    if event.text("stop_reason") == "refusal" {
        return Fault::Refusal;
    }
    if event.text("api_error") == "max_output_tokens" {
        return Fault::OutputLimit;
    }
    let by_words = fault_of_text(message);
    let by_status = fault_of_status(event.number("api_error_status"));
    match (by_status, by_words) {
        // An account without credit is answered with 400.
        (Some(Fault::BadRequest), Some(words)) => words,
        (Some(status), _) => status,
        (None, words) => words.unwrap_or(Fault::Other),
    }
}

/// Tokens are those of this process, cost is that of the whole session.
fn usage(event: &Value) -> Usage {
    let of = event.at("usage");
    let (cached, written) =
        (of.number("cache_read_input_tokens"), of.number("cache_creation_input_tokens"));
    let model = event.at("modelUsage").as_object().and_then(|models| models.keys().next().cloned());
    let usage = Usage {
        input_tokens: of.number("input_tokens").saturating_add(cached).saturating_add(written),
        cached_input_tokens: cached,
        output_tokens: of.number("output_tokens"),
        reasoning_tokens: of.at("output_tokens_details").number("thinking_tokens"),
        cost_usd: event.at("total_cost_usd").as_f64(),
        model,
        tokens_of: Figure::Step,
        cost_of: Figure::Session,
    };
    usage.bounded()
}
