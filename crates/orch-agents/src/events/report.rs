//! Lines of the `command` and `scripted` adapters: plain text, among it JSON objects whose key
//! `orch` names a report.

use std::time::Duration;

use orch_core::money::Figure;
use orch_core::outcome::Fault;
use serde::Deserialize;

use super::event::{AgentEvent, Patience};
use super::json::head;
use super::reader::{Mapper, Source};
use super::usage::Usage;

/// The reports on the wire. What a report leaves out takes its plainest value.
#[derive(Deserialize)]
#[serde(tag = "orch", rename_all = "snake_case")]
enum Report {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolCall {
        #[serde(default)]
        name: String,
        #[serde(default)]
        detail: String,
    },
    FileChange {
        #[serde(default)]
        path: String,
    },
    Usage {
        #[serde(default)]
        input_tokens: u64,
        #[serde(default)]
        cached_input_tokens: u64,
        #[serde(default)]
        output_tokens: u64,
        #[serde(default)]
        reasoning_tokens: u64,
        cost_usd: Option<f64>,
        model: Option<String>,
        /// What the figures count.
        #[serde(default)]
        of: Figure,
    },
    Retry {
        #[serde(default)]
        reason: String,
    },
    RateLimited {
        #[serde(default)]
        retry_after_s: u64,
    },
    NeedsInput {
        #[serde(default)]
        question: String,
    },
    Error {
        /// What went wrong, in the word of its class.
        fault: Option<Fault>,
        #[serde(default)]
        message: String,
    },
    End {
        #[serde(default)]
        ok: bool,
    },
}

/// Reads a line of output. A JSON object with a key `orch` is a report, anything else is text;
/// nothing that an agent prints is an error.
pub fn parse_line(line: &str) -> AgentEvent {
    let text = || AgentEvent::Text(head(line));
    // Looked for first: most lines are not reports, and reading JSON costs.
    if !(line.trim_start().starts_with('{') && line.contains("\"orch\"")) {
        return text();
    }
    let Ok(serde_json::Value::Object(object)) = serde_json::from_str(line) else { return text() };
    if !object.contains_key("orch") {
        return text();
    }
    match Report::deserialize(serde_json::Value::Object(object)) {
        Ok(report) => report.into(),
        Err(_) => AgentEvent::Unknown(head(line)),
    }
}

/// The mapper of programs that report in this form or not at all.
#[derive(Debug, Default)]
pub struct ReportMapper;

impl Mapper for ReportMapper {
    fn line(&mut self, _source: Source, line: &str, events: &mut Vec<AgentEvent>) {
        // Plain talk is progress only where it is more than a shell's complaint; a provider's wish
        // for patience stays as it was reported.
        match parse_line(line) {
            AgentEvent::Text(_) => {}
            event => events.push(event),
        }
    }
}

impl From<Report> for AgentEvent {
    fn from(report: Report) -> Self {
        match report {
            Report::Text { text } => Self::Text(head(&text)),
            Report::ToolCall { name, detail } => {
                Self::ToolCall { name: head(&name), detail: head(&detail) }
            }
            Report::FileChange { path } => Self::FileChange { path: head(&path) },
            Report::Usage {
                input_tokens,
                cached_input_tokens,
                output_tokens,
                reasoning_tokens,
                cost_usd,
                model,
                of,
            } => {
                let usage = Usage {
                    input_tokens,
                    cached_input_tokens,
                    output_tokens,
                    reasoning_tokens,
                    cost_usd,
                    model,
                    tokens_of: of,
                    cost_of: of,
                };
                Self::Usage(usage.bounded())
            }
            Report::Retry { reason } => Self::Retry { reason: head(&reason), fault: None },
            Report::RateLimited { retry_after_s } => {
                Self::RateLimited(Patience::Seconds(retry_after_s))
            }
            Report::NeedsInput { question } => Self::NeedsInput(head(&question)),
            Report::Error { fault, message } => Self::Error { fault, message: head(&message) },
            Report::End { ok } => Self::End { ok, fault: None, message: String::new() },
        }
    }
}

/// The line by which a program reports that its provider asks for patience; parts of a second
/// count as a whole one.
pub fn rate_limited_report(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    serde_json::json!({ "orch": "rate_limited", "retry_after_s": seconds }).to_string()
}
