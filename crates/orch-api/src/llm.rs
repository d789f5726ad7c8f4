//! Language models and money on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /llm/report`: what starts of language models came to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LlmReport {
    /// Calls begun at this moment or later; `None` is all that is kept.
    pub since: Option<Timestamp>,
    /// Of this repository; `None` is all.
    pub repo: Option<String>,
    /// Every registered call site, whether it was called or not; then those that are no more.
    pub call_sites: Vec<CallSiteItem>,
    /// By repository.
    pub repos: Vec<NamedSum>,
    /// By day (UTC), the newest first, at most 31.
    pub days: Vec<NamedSum>,
}

/// A registered place where a language model is started.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallSiteItem {
    /// Its name.
    pub id: String,
    /// The stage; `None` for those that a repository made its own.
    pub stage: Option<String>,
    /// The role; `None` for those that a repository made its own.
    pub role: Option<String>,
    /// What a model is started for, such as `work`.
    pub purpose: String,
    /// `keep-llm`, `needs-hybrid-fallback` or `replace-deterministic-now`; empty for one that is
    /// no more.
    pub class: String,
    /// What calls came to.
    #[serde(flatten)]
    pub sum: LlmSum,
    /// The share of ended calls that did not come to their own end; `None` before the first.
    pub failure_rate: Option<f64>,
    /// The median duration of ended calls, in milliseconds; `None` before the first.
    pub median_ms: Option<u64>,
    /// How a model and a runner that worked side by side compare; `None` where none did.
    pub shadow: Option<ShadowSum>,
}

/// How a model and a runner that worked side by side compare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ShadowSum {
    /// How often one worked beside the other.
    pub shadows: u64,
    /// How often both came to a verdict.
    pub compared: u64,
    /// How often they agree on whether it passes.
    pub agreed: u64,
    /// The share of the compared that agree; `None` before the first.
    pub agreement: Option<f64>,
    /// What the model took over all compared, in milliseconds.
    pub llm_ms: u64,
    /// What the runner took.
    pub runner_ms: u64,
    /// What the model cost over all compared, in millionths of a US dollar: what the runner alone
    /// saves.
    pub llm_cost_micros: u64,
}

/// A sum with the name of what it is of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedSum {
    /// A repository, or a day such as `2026-11-25`.
    pub name: String,
    /// What calls came to.
    #[serde(flatten)]
    pub sum: LlmSum,
}

/// What calls came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmSum {
    /// Calls.
    pub calls: u64,
    /// Those that are going on.
    pub open: u64,
    /// Those that ended in another way than by their own end.
    pub failed: u64,
    /// Tokens read, with those from the provider's cache.
    pub input_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written, with those not shown.
    pub output_tokens: u64,
    /// Tokens written and not shown.
    pub reasoning_tokens: u64,
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// Calls that consumed tokens whose price nobody knows: they stand in the cost with nothing.
    pub unpriced: u64,
}

/// One start of a language model for a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LlmCallItem {
    /// The run's id, or one of its own where it was started beside the run.
    pub call_id: String,
    /// The run that it belongs to.
    pub run_id: String,
    /// The registered call site.
    pub call_site: String,
    /// The role whose settings it was started with.
    pub agent: String,
    /// The sort of program.
    pub adapter: String,
    /// The provider account that pays.
    pub account: String,
    /// The model, where it was said.
    pub model: Option<String>,
    /// Tokens read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written and not shown.
    pub reasoning_tokens: u64,
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// The version of the prices that priced it; `None` where the program said the cost itself.
    pub prices: Option<String>,
}
