//! What agents consume.

use super::line::{AgentEvent, parse_line};

/// The most tokens of one report: what is above it is a broken count, and sums of the reports of
/// a whole log stay far from overflowing.
pub(super) const MAX_TOKENS: u64 = 1_000_000_000_000;
/// The most of one report, in US dollars.
pub(super) const MAX_COST_USD: f64 = 1e6;

/// What an agent consumed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// In US dollars.
    pub cost_usd: f64,
}

impl Usage {
    /// The sum of what the lines of a log report.
    pub fn of_lines<'a>(lines: impl IntoIterator<Item = &'a str>) -> Self {
        let reports = lines.into_iter().filter_map(|line| match parse_line(line) {
            AgentEvent::Usage { input_tokens, output_tokens, cost_usd } => {
                Some(Self { input_tokens, output_tokens, cost_usd })
            }
            _ => None,
        });
        reports.sum()
    }

    /// The line by which a program reports it.
    pub fn report(&self) -> String {
        serde_json::json!({
            "orch": "usage",
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
        })
        .to_string()
    }

    /// The same within what one report can be.
    pub(super) fn bounded(self) -> Self {
        let cost_usd = if self.cost_usd.is_finite() { self.cost_usd } else { 0.0 };
        Self {
            input_tokens: self.input_tokens.min(MAX_TOKENS),
            output_tokens: self.output_tokens.min(MAX_TOKENS),
            cost_usd: cost_usd.clamp(0.0, MAX_COST_USD),
        }
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(reports: I) -> Self {
        reports.fold(Self::default(), |sum, report| Self {
            input_tokens: sum.input_tokens.saturating_add(report.input_tokens),
            output_tokens: sum.output_tokens.saturating_add(report.output_tokens),
            cost_usd: sum.cost_usd + report.cost_usd,
        })
    }
}
