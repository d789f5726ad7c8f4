//! Requests, and how streams are read.

use std::io::{BufRead as _, BufReader};

use orch_testkit::provider::FakeProvider;
use serde_json::Value;

/// An answer: status, type, `retry-after`, and its text.
pub struct Answer {
    pub status: u16,
    pub content_type: String,
    pub retry_after: Option<String>,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The data of a stream's events; each is preceded by its own name where names are used.
    pub fn events(&self) -> Vec<Value> {
        assert_eq!(self.content_type, "text/event-stream");
        self.text.split("\n\n").filter(|event| !event.is_empty()).filter_map(event).collect()
    }
}

fn event(text: &str) -> Option<Value> {
    let (name, data) = match text.split_once('\n') {
        Some((name, data)) => (name.strip_prefix("event: "), data),
        None => (None, text),
    };
    let data = data.strip_prefix("data: ").unwrap();
    if data == "[DONE]" {
        return None;
    }
    let data: Value = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
    assert!(name.is_none() || data["type"] == name.unwrap(), "{text}");
    Some(data)
}

/// Posts to a path below a scenario's base URL.
pub fn post(url: &str, body: &Value) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.post(url).send_json(body)?;
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    Ok(Answer {
        status: answer.status().as_u16(),
        content_type: header("content-type").unwrap(),
        retry_after: header("retry-after"),
        text: answer.body_mut().read_to_string()?,
    })
}

/// Posts, and gives the lines that came before the stream fell silent: the connection stays open.
pub fn first_lines(url: &str, body: &Value, number: usize) -> Vec<String> {
    let answer = ureq::post(url).send_json(body).unwrap();
    let lines = BufReader::new(answer.into_body().into_reader()).lines();
    lines.take(number).map(Result::unwrap).collect()
}

/// Provider and the URL of a path in a scenario.
pub fn at(scenario: &str, path: &str) -> (FakeProvider, String) {
    let provider = FakeProvider::start();
    let url = format!("{}{path}", provider.base_url(scenario, "k"));
    (provider, url)
}
