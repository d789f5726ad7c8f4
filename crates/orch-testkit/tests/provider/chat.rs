use serde_json::{Value, json};

use crate::support::{at, post};

const PROMPT: &str = "[[write a.txt|x]] [[bash ls]] [[say bye]]";

fn request(done: usize, stream: bool) -> Value {
    let mut messages = vec![
        json!({"role": "system", "content": "  Working directory: /w\n[[say no]]"}),
        json!({"role": "user", "content": [{"type": "text", "text": PROMPT}]}),
    ];
    for number in 0..done {
        let id = format!("call_{number}");
        messages.push(json!({"role": "assistant", "tool_calls": [{"id": id}]}));
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "done"}));
    }
    let tool = |name: &str, arguments: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            arguments.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "function", "function": {"name": name, "parameters": {
            "properties": properties, "required": arguments}}})
    };
    json!({"model": "m", "stream": stream, "messages": messages, "tools": [
        tool("write", &["content", "filePath"]), tool("bash", &["command", "description"])]})
}

#[test]
fn each_turn_is_one_call_streamed_or_not() {
    let (provider, url) = at("ok", "/v1/chat/completions");
    let mut calls = Vec::new();
    for done in 0..3 {
        let chunks = post(&url, &request(done, true)).unwrap().events();
        let deltas: Vec<_> = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"]).collect();
        let whole = post(&url, &request(done, false)).unwrap().json();
        let message = &whole["choices"][0]["message"];
        let said: String = deltas.iter().filter_map(|delta| delta["content"].as_str()).collect();
        assert_eq!(said, message["content"].as_str().unwrap_or_default());
        let called = deltas.iter().find_map(|delta| delta.get("tool_calls"));
        let functions = |calls: Option<&Value>| calls.map(|calls| calls[0]["function"].clone());
        assert_eq!(functions(called), functions(message.get("tool_calls")));
        assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 1050);
        let finish = &whole["choices"][0]["finish_reason"];
        assert!(chunks.iter().any(|chunk| chunk["choices"][0]["finish_reason"] == *finish));
        calls.push(json!([finish, message["tool_calls"][0]["function"]["arguments"], said]));
    }
    // The order of keys is that of the JSON library's features, which other crates decide.
    let read = calls[0][1].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    assert_eq!(read, Some(json!({"content": "x", "filePath": "/w/a.txt"})));
    assert_eq!(
        calls,
        [
            json!(["tool_calls", calls[0][1], ""]),
            json!([
                "tool_calls",
                json!({"command": "ls", "description": "scripted"}).to_string(),
                ""
            ]),
            json!(["stop", null, "bye"]),
        ]
    );
    assert_eq!(provider.requests("k"), 6);
}

#[test]
fn why_an_answer_ends_is_said() {
    for (scenario, reason) in [("maxtok", "length"), ("refusal", "content_filter")] {
        let (_provider, url) = at(scenario, "/v1/chat/completions");
        let answer = post(&url, &request(0, false)).unwrap().json();
        assert_eq!(answer["choices"][0]["finish_reason"], reason);
    }
}
