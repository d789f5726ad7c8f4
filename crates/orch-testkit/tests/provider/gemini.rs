use serde_json::{Value, json};

use crate::support::{at, post};

const PROMPT: &str = "[[write a.txt|x]] [[say ready]] [[bash ls]] [[say bye]]";

fn request(done: usize) -> Value {
    let mut contents = vec![
        json!({"role": "user", "parts": [
            {"text": "I'm currently working in the directory: /w\nHere"}]}),
        json!({"role": "user", "parts": [{"text": PROMPT}]}),
    ];
    for _ in 0..done {
        contents.push(json!({"role": "model", "parts": [{"functionCall": {"name": "x"}}]}));
        let answer = json!({"name": "x", "response": {"output": "[[say no]]"}});
        contents.push(json!({"role": "user", "parts": [{"functionResponse": answer}]}));
    }
    let tool = |name: &str, arguments: &[&str]| {
        let properties: serde_json::Map<String, Value> =
            arguments.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
        json!({"name": name, "parametersJsonSchema": {"properties": properties}})
    };
    json!({"contents": contents, "tools": [{"functionDeclarations": [
        tool("write_file", &["content", "file_path"]), tool("run_shell_command", &["command"])]}]})
}

#[test]
fn each_turn_is_one_call_streamed_or_not() {
    let (provider, stream) = at("ok", "/v1beta/models/m-1:streamGenerateContent?alt=sse");
    let whole = format!("{}/v1beta/models/m-1:generateContent", provider.base_url("ok", "k"));
    let mut said = Vec::new();
    for done in 0..3 {
        let chunks = post(&stream, &request(done)).unwrap().events();
        let parts: Vec<_> = chunks
            .iter()
            .flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array().unwrap())
            .collect();
        let document = post(&whole, &request(done)).unwrap().json();
        assert_eq!(json!(parts), document["candidates"][0]["content"]["parts"]);
        let last = chunks.last().unwrap();
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
        assert_eq!(last["usageMetadata"]["totalTokenCount"], 1050);
        assert_eq!(document["modelVersion"], "m-1");
        said.push(json!(parts));
    }
    let write = json!({"name": "write_file", "args": {"content": "x", "file_path": "/w/a.txt"}});
    let shell = json!({"name": "run_shell_command", "args": {"command": "ls"}});
    assert_eq!(
        said,
        [
            json!([{"functionCall": write}]),
            json!([{"text": "ready"}, {"functionCall": shell}]),
            json!([{"text": "bye"}]),
        ]
    );
    assert_eq!(provider.requests("k"), 6);
    let count = format!("{}/v1beta/models/m-1:countTokens", provider.base_url("ok", "k"));
    assert_eq!(post(&count, &request(0)).unwrap().json(), json!({"totalTokens": 1000}));
}
