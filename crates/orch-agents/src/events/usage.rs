//! What agents consume.

use orch_core::money::{Consumed, Figure, Meter, Report, Tokens};

use super::event::AgentEvent;
use super::report::parse_line;

/// The most tokens of one report: what is above it is a broken count, and sums of the reports of
/// a whole log stay far from overflowing.
const MAX_TOKENS: u64 = 1_000_000_000_000;
/// The most of one report, in US dollars.
const MAX_COST_USD: f64 = 1e6;
/// The longest name of a model, in bytes.
const MAX_MODEL: usize = 100;

/// What an agent reports of its consumption.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Usage {
    /// Tokens read, with what came from the provider's cache.
    pub input_tokens: u64,
    /// Of those read, the ones that came from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written, with what was thought and not shown.
    pub output_tokens: u64,
    /// Of those written, the ones that were thought and not shown.
    pub reasoning_tokens: u64,
    /// In US dollars; `None` where the program says nothing of cost.
    pub cost_usd: Option<f64>,
    /// The model, where it is said.
    pub model: Option<String>,
    /// What the tokens count.
    pub tokens_of: Figure,
    /// What the cost counts.
    pub cost_of: Figure,
}

impl Usage {
    /// What the lines of a log report, each figure counted once.
    pub fn of_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Consumed {
        let mut meter = Meter::default();
        for line in lines {
            if let AgentEvent::Usage(usage) = parse_line(line) {
                meter.add(&usage.figures());
            }
        }
        meter.read()
    }

    /// The figures as they are added up.
    pub fn figures(&self) -> Report {
        Report {
            model: self.model.clone(),
            tokens: Tokens {
                input: self.input_tokens,
                cached_input: self.cached_input_tokens,
                output: self.output_tokens,
                reasoning: self.reasoning_tokens,
            },
            tokens_of: self.tokens_of,
            cost_micros: self.cost_usd.map(|usd| (usd * 1e6).round() as u64),
            cost_of: self.cost_of,
        }
    }

    /// The line by which a program reports it.
    pub fn report(&self) -> String {
        let mut report = serde_json::json!({
            "orch": "usage",
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        });
        if self.cached_input_tokens > 0 {
            report["cached_input_tokens"] = self.cached_input_tokens.into();
        }
        if self.reasoning_tokens > 0 {
            report["reasoning_tokens"] = self.reasoning_tokens.into();
        }
        if let Some(cost) = self.cost_usd {
            report["cost_usd"] = cost.into();
        }
        if let Some(model) = &self.model {
            report["model"] = model.clone().into();
        }
        report.to_string()
    }

    /// The same within what one report can be.
    #[must_use]
    pub fn bounded(self) -> Self {
        let cost = |usd: f64| if usd.is_finite() { usd.clamp(0.0, MAX_COST_USD) } else { 0.0 };
        let name = |model: &String| {
            !model.is_empty() && model.len() <= MAX_MODEL && !model.contains(char::is_control)
        };
        Self {
            input_tokens: self.input_tokens.min(MAX_TOKENS),
            cached_input_tokens: self.cached_input_tokens.min(MAX_TOKENS),
            output_tokens: self.output_tokens.min(MAX_TOKENS),
            reasoning_tokens: self.reasoning_tokens.min(MAX_TOKENS),
            cost_usd: self.cost_usd.map(cost),
            model: self.model.filter(name),
            ..self
        }
    }
}
