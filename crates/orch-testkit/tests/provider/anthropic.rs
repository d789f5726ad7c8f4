use serde_json::{Value, json};

use crate::support::{at, post};

fn request(messages: &Value, stream: bool) -> Value {
    let schema = |names: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"type": "object", "properties": properties, "required": names})
    };
    json!({"model": "claude-x", "max_tokens": 100, "stream": stream, "messages": messages,
        "system": [{"type": "text", "text": "You are an agent."}],
        "tools": [{"name": "Write", "input_schema": schema(&["file_path", "content"])},
                  {"name": "Bash", "input_schema": schema(&["command"])}]})
}

const PROMPT: &str = "Work. [[say first]] [[write a.txt|hello\\n]] [[bash ls]] [[say bye]]";

fn prompt() -> Value {
    json!([{"role": "user", "content": [
        {"type": "text", "text": "Primary working directory: /w\n"},
        {"type": "text", "text": PROMPT}]}])
}

/// The answer's content put together from the events of a stream.
fn assembled(events: &[Value]) -> Vec<Value> {
    let mut blocks: Vec<Value> = Vec::new();
    for event in events {
        match event["type"].as_str().unwrap() {
            "content_block_start" => blocks.push(event["content_block"].clone()),
            "content_block_delta" if event["delta"]["type"] == "text_delta" => {
                blocks.last_mut().unwrap()["text"] = event["delta"]["text"].clone();
            }
            "content_block_delta" => {
                let json = event["delta"]["partial_json"].as_str().unwrap();
                blocks.last_mut().unwrap()["input"] = serde_json::from_str(json).unwrap();
            }
            _ => {}
        }
    }
    blocks
}

#[test]
fn a_conversation_is_played_turn_by_turn_streamed_or_not() {
    let (provider, url) = at("ok", "/v1/messages");
    let mut messages = prompt();
    let mut said = Vec::new();
    for turn in 0..3 {
        let streamed = post(&url, &request(&messages, true)).unwrap().events();
        let whole = post(&url, &request(&messages, false)).unwrap().json();
        let blocks = assembled(&streamed);
        let names = |blocks: &[Value]| -> Vec<Value> {
            blocks
                .iter()
                .map(|block| json!([block["text"], block["name"], block["input"]]))
                .collect()
        };
        assert_eq!(names(&blocks), names(whole["content"].as_array().unwrap()), "turn {turn}");
        let ended = streamed.iter().find(|event| event["type"] == "message_delta").unwrap();
        assert_eq!(ended["delta"]["stop_reason"], whole["stop_reason"]);
        assert_eq!(
            (&ended["usage"]["output_tokens"], &whole["usage"]["input_tokens"]),
            (&json!(50), &json!(1000))
        );
        said.push((whole["stop_reason"].clone(), names(&blocks)));
        let id = blocks.last().unwrap()["id"].clone();
        let result = json!([{"type": "tool_result", "tool_use_id": id, "content": "[[say no]]"}]);
        let more = messages.as_array_mut().unwrap();
        more.push(json!({"role": "assistant", "content": blocks}));
        more.push(json!({"role": "user", "content": result}));
    }
    let write = json!({"file_path": "/w/a.txt", "content": "hello\n"});
    assert_eq!(
        said,
        [
            (json!("tool_use"), vec![json!(["first", null, null]), json!([null, "Write", write])]),
            (json!("tool_use"), vec![json!([null, "Bash", {"command": "ls"}])]),
            (json!("end_turn"), vec![json!(["bye", null, null])]),
        ]
    );
    assert_eq!(provider.requests("k"), 6);
    let recorded = provider.recorded("k");
    assert_eq!(recorded[5].body["messages"].as_array().unwrap().len(), 5);
    assert_eq!(recorded[0].path, "/v1/messages");
}

#[test]
fn counting_and_listing_are_no_turns() {
    let (provider, url) = at("ok", "/v1/messages/count_tokens");
    assert_eq!(
        post(&url, &request(&prompt(), false)).unwrap().json(),
        json!({"input_tokens": 1000})
    );
    let url = format!("{}/v1/models", provider.base_url("ok", "k"));
    let models: Value = ureq::get(&url).call().unwrap().body_mut().read_json().unwrap();
    assert_eq!(models["data"][0]["id"], "fake-model");
    assert_eq!((provider.requests("k"), provider.recorded("k").len()), (0, 2));
}

#[test]
fn what_a_script_cannot_mean_is_a_loud_error() {
    let (_provider, url) = at("ok", "/v1/messages");
    for prompt in ["[[tool x {]]", "[[write a]]"] {
        let messages = json!([{"role": "user", "content": prompt}]);
        let answer = post(&url, &request(&messages, true)).unwrap();
        assert_eq!(answer.status, 400);
        assert!(answer.json()["error"]["message"].as_str().unwrap().contains("[["));
    }
    // Without tools a title is asked for, whatever stands in the prompt.
    let mut title = request(&prompt(), false);
    title["tools"] = json!([]);
    assert_eq!(post(&url, &title).unwrap().json()["content"][0]["text"], "Work as scripted");
    for nonsense in [json!(null), json!([]), json!({"messages": 7, "tools": {"a": 1}})] {
        assert_eq!(post(&url, &nonsense).unwrap().status, 200);
    }
}
