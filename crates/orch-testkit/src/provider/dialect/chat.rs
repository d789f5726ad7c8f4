//! `OpenAI`'s Chat Completions, as many other providers speak it.

use serde_json::{Value, json};

use super::super::answer::{Answer, Stop};
use super::super::conversation::{Conversation, Entry, Tool};
use super::super::reply::Event;
use super::super::{INPUT_TOKENS, OUTPUT_TOKENS};
use super::texts;

pub(super) fn read(body: &Value) -> Conversation {
    let messages = || body["messages"].as_array().into_iter().flatten();
    let system = |message: &&Value| message["role"] == "system" || message["role"] == "developer";
    let instructions: Vec<String> =
        messages().filter(system).map(|message| texts(&message["content"])).collect();
    Conversation {
        entries: messages().filter_map(entry).collect(),
        tools: body["tools"].as_array().into_iter().flatten().filter_map(tool).collect(),
        instructions: instructions.join("\n"),
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        streams: body["stream"] == true,
    }
}

fn entry(message: &Value) -> Option<Entry> {
    match message["role"].as_str() {
        Some("user") => Some(Entry::User(texts(&message["content"]))),
        Some("tool") => Some(Entry::Result),
        _ => None,
    }
}

fn tool(tool: &Value) -> Option<Tool> {
    let function = &tool["function"];
    let name = function["name"].as_str()?.to_owned();
    Some(Tool { namespace: None, name, schema: function["parameters"].clone() })
}

fn finish_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Refusal => "content_filter",
        Stop::MaxTokens => "length",
        Stop::Normal if answer.call.is_some() => "tool_calls",
        Stop::Normal => "stop",
    }
}

fn usage() -> Value {
    json!({"prompt_tokens": INPUT_TOKENS, "completion_tokens": OUTPUT_TOKENS,
           "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS})
}

fn calls(answer: &Answer, number: u64) -> Option<Value> {
    let call = answer.call.as_ref()?;
    Some(json!([{"index": 0, "id": format!("call_{number:06}"), "type": "function",
        "function": {"name": call.name, "arguments": call.input.to_string()}}]))
}

pub(super) fn document(answer: &Answer, to: &Conversation, number: u64) -> Value {
    let mut message = json!({"role": "assistant", "content": answer.text});
    if let Some(calls) = calls(answer, number) {
        message["tool_calls"] = calls;
    }
    json!({"id": format!("chatcmpl-{number:06}"), "object": "chat.completion", "created": 0,
        "model": to.model, "usage": usage(),
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(answer)}]})
}

pub(super) fn events(answer: &Answer, to: &Conversation, number: u64) -> Vec<Event> {
    let chunk = |delta: Value, finish: Option<&str>| {
        json!({"id": format!("chatcmpl-{number:06}"), "object": "chat.completion.chunk",
            "created": 0, "model": to.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let mut chunks = vec![chunk(json!({"role": "assistant", "content": ""}), None)];
    if let Some(text) = &answer.text {
        chunks.push(chunk(json!({"content": text}), None));
    }
    if let Some(calls) = calls(answer, number) {
        chunks.push(chunk(json!({"tool_calls": calls}), None));
    }
    chunks.push(chunk(json!({}), Some(finish_reason(answer))));
    let mut last = chunk(json!({}), None);
    last["choices"] = json!([]);
    last["usage"] = usage();
    chunks.push(last);
    let done = Event::plain("[DONE]");
    chunks.iter().map(Event::plain).chain([done]).collect()
}
