//! `OpenAI`'s Responses.

use serde_json::{Value, json};

use super::super::answer::{Answer, Stop};
use super::super::conversation::{Conversation, Entry, Tool};
use super::super::reply::Event;
use super::super::{INPUT_TOKENS, OUTPUT_TOKENS};
use super::texts;

pub(super) fn read(body: &Value) -> Conversation {
    Conversation {
        entries: match &body["input"] {
            Value::String(text) => vec![Entry::User(text.clone())],
            items => items.as_array().into_iter().flatten().filter_map(entry).collect(),
        },
        tools: body["tools"].as_array().into_iter().flatten().flat_map(tools).collect(),
        instructions: body["instructions"].as_str().unwrap_or_default().to_owned(),
        model: body["model"].as_str().unwrap_or_default().to_owned(),
        streams: body["stream"] == true,
    }
}

fn entry(item: &Value) -> Option<Entry> {
    match item["type"].as_str().unwrap_or("message") {
        "message" if item["role"] == "user" => Some(Entry::User(texts(&item["content"]))),
        kind if kind.ends_with("_call_output") => Some(Entry::Result),
        _ => None,
    }
}

/// A tool, or the tools of a group.
fn tools(tool: &Value) -> Vec<Tool> {
    let one = |tool: &Value, namespace: Option<&str>| {
        Some(Tool {
            namespace: namespace.map(ToOwned::to_owned),
            name: tool["name"].as_str()?.to_owned(),
            schema: tool["parameters"].clone(),
        })
    };
    if tool["type"] == "namespace" {
        let group = tool["name"].as_str();
        let inside = tool["tools"].as_array().into_iter().flatten();
        return inside.filter_map(|tool| one(tool, group)).collect();
    }
    one(tool, None).into_iter().collect()
}

/// The items of an answer.
fn items(answer: &Answer, number: u64) -> Vec<Value> {
    let message = answer.text.iter().map(|text| {
        let part = match answer.stop {
            Stop::Refusal => json!({"type": "refusal", "refusal": text}),
            _ => json!({"type": "output_text", "text": text, "annotations": []}),
        };
        json!({"type": "message", "id": format!("msg_{number:06}"), "role": "assistant",
               "status": "completed", "content": [part]})
    });
    let call = answer.call.iter().map(|call| {
        let mut item = json!({"type": "function_call", "id": format!("fc_{number:06}"),
            "call_id": format!("call_{number:06}"), "name": call.name,
            "arguments": call.input.to_string(), "status": "completed"});
        if let Some(namespace) = &call.namespace {
            item["namespace"] = json!(namespace);
        }
        item
    });
    message.chain(call).collect()
}

pub(super) fn document(answer: &Answer, to: &Conversation, number: u64) -> Value {
    let (status, details) = match answer.stop {
        Stop::MaxTokens => ("incomplete", json!({"reason": "max_output_tokens"})),
        _ => ("completed", Value::Null),
    };
    json!({"id": format!("resp_{number:06}"), "object": "response", "created_at": 0,
        "model": to.model, "status": status, "incomplete_details": details, "error": null,
        "output": items(answer, number),
        "usage": {"input_tokens": INPUT_TOKENS, "input_tokens_details": {"cached_tokens": 0},
                  "output_tokens": OUTPUT_TOKENS, "output_tokens_details": {"reasoning_tokens": 0},
                  "total_tokens": INPUT_TOKENS + OUTPUT_TOKENS}})
}

pub(super) fn events(answer: &Answer, to: &Conversation, number: u64) -> Vec<Event> {
    let whole = document(answer, to, number);
    let mut begun = whole.clone();
    begun["status"] = json!("in_progress");
    begun["output"] = json!([]);
    begun["usage"] = Value::Null;
    begun["incomplete_details"] = Value::Null;
    let mut events = vec![json!({"type": "response.created", "response": begun})];
    for (index, item) in items(answer, number).into_iter().enumerate() {
        events.extend(item_events(index, &item));
    }
    let last = match answer.stop {
        Stop::MaxTokens => "response.incomplete",
        _ => "response.completed",
    };
    events.push(json!({"type": last, "response": whole}));
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
    }
    events.iter().map(Event::typed).collect()
}

fn item_events(index: usize, item: &Value) -> Vec<Value> {
    let (id, mut begun) = (&item["id"], item.clone());
    begun["status"] = json!("in_progress");
    let delta = if item["type"] == "message" {
        begun["content"] = json!([]);
        let part = &item["content"][0];
        let (kind, delta) = match part["type"].as_str() {
            Some("refusal") => ("response.refusal.delta", &part["refusal"]),
            _ => ("response.output_text.delta", &part["text"]),
        };
        json!({"type": kind, "item_id": id, "output_index": index, "content_index": 0,
               "delta": delta})
    } else {
        begun["arguments"] = json!("");
        json!({"type": "response.function_call_arguments.delta", "item_id": id,
               "output_index": index, "delta": item["arguments"]})
    };
    vec![
        json!({"type": "response.output_item.added", "output_index": index, "item": begun}),
        delta,
        json!({"type": "response.output_item.done", "output_index": index, "item": item}),
    ]
}
