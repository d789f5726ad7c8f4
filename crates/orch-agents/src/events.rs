//! What an agent reports of itself on its output.

use serde::Deserialize;

/// Something that an agent reported.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// Plain output.
    Text(String),
    /// What it consumed.
    Usage {
        /// Tokens read.
        input_tokens: u64,
        /// Tokens written.
        output_tokens: u64,
        /// In US dollars.
        cost_usd: f64,
    },
    /// The provider asks for patience.
    RateLimited {
        /// For how long, in seconds.
        retry_after_s: u64,
    },
    /// A report of a kind that is not known here; kept, never fatal.
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(tag = "orch", rename_all = "snake_case")]
enum Report {
    Usage {
        #[serde(default)]
        input_tokens: u64,
        #[serde(default)]
        output_tokens: u64,
        #[serde(default)]
        cost_usd: f64,
    },
    RateLimited {
        #[serde(default)]
        retry_after_s: u64,
    },
}

/// Reads a line: a JSON object with a key `orch` is a report, anything else is text.
pub fn parse_line(line: &str) -> AgentEvent {
    if !(line.starts_with('{') && line.contains("\"orch\"")) {
        return AgentEvent::Text(line.to_owned());
    }
    match serde_json::from_str(line) {
        Ok(Report::Usage { input_tokens, output_tokens, cost_usd }) => {
            let cost_usd = if cost_usd.is_finite() { cost_usd.max(0.0) } else { 0.0 };
            AgentEvent::Usage { input_tokens, output_tokens, cost_usd }
        }
        Ok(Report::RateLimited { retry_after_s }) => AgentEvent::RateLimited { retry_after_s },
        Err(_) => AgentEvent::Unknown(line.to_owned()),
    }
}
