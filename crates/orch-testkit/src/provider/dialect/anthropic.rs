//! Anthropic's Messages.

use serde_json::{Value, json};

use super::super::answer::{Answer, Stop};
use super::super::conversation::{Conversation, Entry, Tool};
use super::super::reply::Event;
use super::super::{INPUT_TOKENS, OUTPUT_TOKENS};
use super::texts;

pub(super) fn read(body: &Value) -> Conversation {
    let messages = body["messages"].as_array().into_iter().flatten();
    Conversation {
        entries: messages.flat_map(entries).collect(),
        tools: body["tools"].as_array().into_iter().flatten().filter_map(tool).collect(),
        instructions: texts(&body["system"]),
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        streams: body["stream"] == true,
    }
}

fn entries(message: &Value) -> Vec<Entry> {
    if message["role"] != "user" {
        return Vec::new();
    }
    let Value::Array(blocks) = &message["content"] else {
        return vec![Entry::User(texts(&message["content"]))];
    };
    let entry = |block: &Value| match block["type"].as_str() {
        Some("tool_result") => Some(Entry::Result),
        Some("text") => Some(Entry::User(block["text"].as_str()?.to_owned())),
        _ => None,
    };
    blocks.iter().filter_map(entry).collect()
}

fn tool(tool: &Value) -> Option<Tool> {
    let name = tool["name"].as_str()?.to_owned();
    Some(Tool { namespace: None, name, schema: tool["input_schema"].clone() })
}

/// The blocks of an answer.
fn blocks(answer: &Answer, number: u64) -> Vec<Value> {
    let text = answer.text.iter().map(|text| json!({"type": "text", "text": text}));
    let call = answer.call.iter().map(|call| {
        let id = format!("toolu_{number:06}");
        json!({"type": "tool_use", "id": id, "name": call.name, "input": call.input})
    });
    text.chain(call).collect()
}

fn stop_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Refusal => "refusal",
        Stop::MaxTokens => "max_tokens",
        Stop::Normal if answer.call.is_some() => "tool_use",
        Stop::Normal => "end_turn",
    }
}

fn usage(output: u64) -> Value {
    json!({"input_tokens": INPUT_TOKENS, "cache_creation_input_tokens": 0,
           "cache_read_input_tokens": 0, "output_tokens": output})
}

pub(super) fn document(answer: &Answer, to: &Conversation, number: u64) -> Value {
    json!({"id": format!("msg_{number:06}"), "type": "message", "role": "assistant",
           "model": to.model, "content": blocks(answer, number),
           "stop_reason": stop_reason(answer), "stop_sequence": null,
           "usage": usage(OUTPUT_TOKENS)})
}

pub(super) fn events(answer: &Answer, to: &Conversation, number: u64) -> Vec<Event> {
    let mut message = document(answer, to, number);
    message["content"] = json!([]);
    message["stop_reason"] = Value::Null;
    message["usage"] = usage(1);
    let mut events = vec![json!({"type": "message_start", "message": message})];
    for (index, block) in blocks(answer, number).into_iter().enumerate() {
        events.extend(block_events(index, block));
    }
    events.push(json!({"type": "message_delta",
        "delta": {"stop_reason": stop_reason(answer), "stop_sequence": null},
        "usage": {"output_tokens": OUTPUT_TOKENS}}));
    events.push(json!({"type": "message_stop"}));
    events.iter().map(Event::typed).collect()
}

/// A block begins empty and is filled by one delta.
fn block_events(index: usize, mut block: Value) -> [Value; 3] {
    let delta = if block["type"] == "text" {
        json!({"type": "text_delta", "text": block["text"].take()})
    } else {
        json!({"type": "input_json_delta", "partial_json": block["input"].take().to_string()})
    };
    if block["type"] == "text" {
        block["text"] = json!("");
    } else {
        block["input"] = json!({});
    }
    [
        json!({"type": "content_block_start", "index": index, "content_block": block}),
        json!({"type": "content_block_delta", "index": index, "delta": delta}),
        json!({"type": "content_block_stop", "index": index}),
    ]
}

pub(super) fn error(code: u16, message: &str) -> Value {
    let kind = match code {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}})
}
