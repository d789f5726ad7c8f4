use serde_json::{Value, json};

use crate::support::{at, post};

const PROMPT: &str =
    "[[bash ls]] [[tool mcp__orch__ask {\"a\": 1}]] [[write d/a.txt|x]] [[say bye]]";

fn request(done: usize, stream: bool) -> Value {
    let text = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    let mut input = vec![text("developer", "[[say no]]"), text("user", PROMPT)];
    for number in 0..done {
        let id = format!("call_{number}");
        input.push(json!({"type": "function_call", "call_id": id, "name": "x", "arguments": "{}"}));
        input.push(json!({"type": "function_call_output", "call_id": id, "output": "done"}));
    }
    let schema = json!({"properties": {"cmd": {"type": "string"}}, "required": ["cmd"]});
    json!({"model": "gpt-x", "stream": stream, "input": input, "tools": [
        {"type": "function", "name": "exec_command", "parameters": schema},
        {"type": "namespace", "name": "mcp__orch", "tools": [
            {"type": "function", "name": "ask", "parameters": {}}]},
        {"type": "web_search"}]})
}

#[test]
fn each_turn_is_one_call_and_the_stream_says_what_the_document_says() {
    let (provider, url) = at("ok", "/v1/responses");
    let mut calls = Vec::new();
    for done in 0..4 {
        let events = post(&url, &request(done, true)).unwrap().events();
        let last = &events.last().unwrap();
        assert_eq!(last["type"], "response.completed");
        assert_eq!(last["response"]["usage"]["total_tokens"], 1050);
        let numbers: Vec<_> = events.iter().map(|event| &event["sequence_number"]).collect();
        assert_eq!(json!(numbers), json!((0..events.len()).collect::<Vec<_>>()));
        let items: Vec<_> =
            events.iter().filter(|event| event["type"] == "response.output_item.done").collect();
        let whole = post(&url, &request(done, false)).unwrap().json();
        assert_eq!((items.len(), whole["output"].as_array().unwrap().len()), (1, 1));
        let item = &whole["output"][0];
        assert_eq!(item["arguments"], items[0]["item"]["arguments"]);
        calls.push(json!([item["namespace"], item["name"], item["content"][0]["text"]]));
    }
    assert_eq!(
        calls,
        [
            json!([null, "exec_command", null]),
            json!(["mcp__orch", "ask", null]),
            json!([null, "exec_command", null]),
            json!([null, null, "bye"]),
        ]
    );
    assert_eq!(provider.requests("k"), 8);
}

#[test]
fn an_answer_cut_at_its_limit_is_incomplete() {
    let (_provider, url) = at("maxtok", "/v1/responses");
    let events = post(&url, &request(0, true)).unwrap().events();
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.incomplete");
    assert_eq!(last["response"]["incomplete_details"]["reason"], "max_output_tokens");
}
