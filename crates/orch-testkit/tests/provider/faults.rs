//! The same faults in every dialect.

use serde_json::{Value, json};

use crate::support::{at, first_lines, post};

/// Path and request of each dialect.
fn dialects() -> Vec<(&'static str, Value)> {
    let message = json!([{"role": "user", "content": "[[say hello]]"}]);
    let tool = json!({"name": "t", "function": {"name": "t"}});
    let contents = json!([{"role": "user", "parts": [{"text": "[[say hello]]"}]}]);
    let declared = json!([{"functionDeclarations": [{"name": "t"}]}]);
    vec![
        ("/v1/messages", json!({"messages": message, "tools": [tool], "stream": true})),
        ("/v1/responses", json!({"input": message, "tools": [tool], "stream": true})),
        ("/v1/chat/completions", json!({"messages": message, "tools": [tool], "stream": true})),
        (
            "/v1beta/models/gemini-x:streamGenerateContent?alt=sse",
            json!({"contents": contents, "tools": declared}),
        ),
    ]
}

#[test]
fn a_status_is_an_error_document_with_its_wait() {
    for (path, request) in dialects() {
        for (scenario, status, wait) in [
            ("401", 401, None),
            ("529", 529, None),
            ("429ra:7", 429, Some("7")),
            ("ctx", 400, None),
        ] {
            let (_provider, url) = at(scenario, path);
            let answer = post(&url, &request).unwrap();
            assert_eq!((answer.status, answer.retry_after.as_deref()), (status, wait), "{path}");
            let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
            assert!(!message.is_empty(), "{path} {scenario}");
            assert_eq!(scenario == "ctx", message.contains("token") || message.contains("context"));
        }
    }
}

#[test]
fn flakiness_passes_by_key() {
    for (path, request) in dialects() {
        let (provider, url) = at("flaky:503:2", path);
        let statuses = [(); 3].map(|()| post(&url, &request).unwrap().status);
        assert_eq!(statuses, [503, 503, 200], "{path}");
        let other = format!("{}{path}", provider.base_url("flaky:503:2", "other"));
        assert_eq!(post(&other, &request).unwrap().status, 503);
        assert_eq!((provider.requests("k"), provider.requests("other")), (3, 1));
    }
}

#[test]
fn connections_break_before_and_within_an_answer() {
    for (path, request) in dialects() {
        for scenario in ["drop", "cut"] {
            let (provider, url) = at(scenario, path);
            assert!(post(&url, &request).is_err(), "{path} {scenario}");
            assert!(provider.requests("k") > 0);
        }
    }
}

#[test]
fn silence_comes_before_or_within_an_answer() {
    for (path, request) in dialects() {
        let (_provider, url) = at("stall", path);
        let lines = first_lines(&url, &request, 1);
        assert!(lines[0].starts_with("event: ") || lines[0].starts_with("data: "), "{path}");
        let (provider, url) = at("hang", path);
        std::thread::spawn(move || post(&url, &request));
        orch_testkit::until("the request to come", || (provider.requests("k") == 1).then_some(()));
    }
}

#[test]
fn answers_are_not_what_they_should_be() {
    for (path, request) in dialects() {
        let (_provider, url) = at("html", path);
        let answer = post(&url, &request).unwrap();
        assert_eq!((answer.status, answer.text.contains("<html>")), (200, true), "{path}");
        let (_provider, url) = at("malformed", path);
        let answer = post(&url, &request).unwrap();
        let broken = |event: &str| {
            let data = event.split_once("data: ").unwrap().1;
            data != "[DONE]" && serde_json::from_str::<Value>(data).is_err()
        };
        let events = answer.text.split("\n\n").filter(|event| !event.is_empty());
        assert_eq!(events.filter(|event| broken(event)).count(), 1, "{path}");
        let (_provider, url) = at("empty", path);
        assert!(!post(&url, &request).unwrap().text.contains("hello"), "{path}");
        let (_provider, url) = at("refusal", path);
        assert!(post(&url, &request).unwrap().text.contains("can't help"), "{path}");
    }
}

#[test]
fn a_script_brings_its_own_fault() {
    for (path, mut request) in dialects() {
        let script = request.to_string().replace("[[say", "[[fault 529]] [[say");
        request = serde_json::from_str(&script).unwrap();
        let (_provider, url) = at("ok", path);
        assert_eq!(post(&url, &request).unwrap().status, 529, "{path}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let (_provider, url) = at("ok", "/v2/else");
    assert_eq!(post(&url, &json!({})).unwrap().status, 404);
    for path in ["/s/nonsense/k/a/v1/messages", "/s/ok/v1/messages"] {
        let (provider, _) = at("ok", "");
        let answer = post(&format!("{}{path}", provider.address()), &json!({})).unwrap();
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
}
