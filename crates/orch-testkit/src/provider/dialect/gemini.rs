//! Gemini's `generateContent` and `streamGenerateContent`.

use serde_json::{Value, json};

use super::super::answer::{Answer, Stop};
use super::super::conversation::{Conversation, Entry, Tool};
use super::super::reply::Event;
use super::super::{INPUT_TOKENS, OUTPUT_TOKENS};

/// The path names the model and whether events are wanted.
pub(super) fn read(path: &str, body: &Value) -> Conversation {
    let (model, method) =
        path.rsplit('/').next().and_then(|last| last.split_once(':')).unwrap_or_default();
    let texts = |content: &Value| -> Vec<String> {
        let parts = content["parts"].as_array().into_iter().flatten();
        parts.filter_map(|part| part["text"].as_str().map(ToOwned::to_owned)).collect()
    };
    Conversation {
        entries: body["contents"].as_array().into_iter().flatten().flat_map(entries).collect(),
        tools: body["tools"].as_array().into_iter().flatten().flat_map(tools).collect(),
        instructions: texts(&body["systemInstruction"]).join("\n"),
        model: model.to_owned(),
        streams: method == "streamGenerateContent",
    }
}

fn entries(content: &Value) -> Vec<Entry> {
    if content["role"] == "model" {
        return Vec::new();
    }
    let entry = |part: &Value| {
        if part["functionResponse"].is_object() {
            return Some(Entry::Result);
        }
        Some(Entry::User(part["text"].as_str()?.to_owned()))
    };
    content["parts"].as_array().into_iter().flatten().filter_map(entry).collect()
}

fn tools(group: &Value) -> Vec<Tool> {
    let tool = |tool: &Value| {
        let schema = ["parametersJsonSchema", "parameters"].map(|name| &tool[name]);
        let schema = schema.into_iter().find(|schema| schema.is_object());
        Some(Tool {
            namespace: None,
            name: tool["name"].as_str()?.to_owned(),
            schema: schema.cloned().unwrap_or_default(),
        })
    };
    let declared = group["functionDeclarations"].as_array().into_iter().flatten();
    declared.filter_map(tool).collect()
}

/// The parts of an answer.
fn parts(answer: &Answer) -> Vec<Value> {
    let text = answer.text.iter().map(|text| json!({"text": text}));
    let call = answer
        .call
        .iter()
        .map(|call| json!({"functionCall": {"name": call.name, "args": call.input}}));
    text.chain(call).collect()
}

fn finish_reason(answer: &Answer) -> &'static str {
    match answer.stop {
        Stop::Refusal => "SAFETY",
        Stop::MaxTokens => "MAX_TOKENS",
        Stop::Normal => "STOP",
    }
}

fn chunk(parts: &[Value], finish: Option<&str>, to: &Conversation, number: u64) -> Value {
    let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
    if let Some(finish) = finish {
        candidate["finishReason"] = json!(finish);
    }
    json!({"candidates": [candidate], "modelVersion": to.model,
        "responseId": format!("resp-{number:06}"),
        "usageMetadata": {"promptTokenCount": INPUT_TOKENS, "candidatesTokenCount": OUTPUT_TOKENS,
                          "totalTokenCount": INPUT_TOKENS + OUTPUT_TOKENS}})
}

pub(super) fn document(answer: &Answer, to: &Conversation, number: u64) -> Value {
    chunk(&parts(answer), Some(finish_reason(answer)), to, number)
}

pub(super) fn events(answer: &Answer, to: &Conversation, number: u64) -> Vec<Event> {
    let parts = parts(answer).into_iter().map(|part| chunk(&[part], None, to, number));
    let last = chunk(&[], Some(finish_reason(answer)), to, number);
    parts.chain([last]).map(|chunk| Event::plain(&chunk)).collect()
}

pub(super) fn error(code: u16, message: &str) -> Value {
    let status = match code {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 | 529 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    };
    json!({"error": {"code": code, "message": message, "status": status}})
}
