//! `orch llm report`: call sites, spend, agreement.

use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};
use orch_api::{LlmReport, LlmSum, NamedSum};
use orch_core::ids::RepoName;
use orch_core::money::dollars;
use orch_core::settings::parse_duration;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, Table, took};
use crate::service;

/// Show every call site with its calls, tokens, cost and failures.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only calls begun since then: a duration such as 7d, or a moment such as 2026-11-25T00:00:00Z.
    #[arg(long, value_name = "WHEN", value_parser = since)]
    since: Option<Timestamp>,
    /// Only calls of this repository.
    #[arg(long, value_name = "NAME")]
    repo: Option<RepoName>,
    /// Print JSON, as GET /llm/report gives it.
    #[arg(long)]
    json: bool,
}

fn since(text: &str) -> Result<Timestamp, String> {
    if let Ok(moment) = text.parse() {
        return Ok(moment);
    }
    let ago = parse_duration(text).ok().and_then(|ago| SignedDuration::try_from(ago).ok());
    ago.and_then(|ago| Timestamp::now().checked_sub(ago).ok())
        .ok_or_else(|| "neither a duration such as 7d nor a moment".to_owned())
}

/// Asks the service and shows the answer.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let since = args.since.map(|at| at.to_string());
    let repo = args.repo.as_ref().map(RepoName::as_str);
    let report = service::client(env)?.llm_report(since.as_deref(), repo)?;
    let out = Out::new(env);
    if args.json {
        out.json(&report)?;
    } else {
        show(&out, &report)?;
    }
    Ok(Exit::Done.into())
}

fn show(out: &Out, report: &LlmReport) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "CALL SITE",
        "CLASS",
        "CALLS",
        "FAILED",
        "MEDIAN",
        "IN",
        "CACHED",
        "OUT",
        "COST",
    ]);
    for site in &report.call_sites {
        let sum = &site.sum;
        table.row([
            site.id.clone(),
            if site.class.is_empty() { "no more".to_owned() } else { site.class.clone() },
            sum.calls.to_string(),
            site.failure_rate
                .map_or_else(|| "-".to_owned(), |rate| format!("{:.0}%", rate * 100.0)),
            site.median_ms
                .map_or_else(|| "-".to_owned(), |ms| took(i64::try_from(ms).unwrap_or(i64::MAX))),
            sum.input_tokens.to_string(),
            sum.cached_input_tokens.to_string(),
            sum.output_tokens.to_string(),
            cost(sum),
        ]);
    }
    out.table(&table, "there are no call sites")?;
    shadows(out, report)?;
    sums(out, &["REPOSITORY", "CALLS", "TOKENS", "COST"], &report.repos)?;
    sums(out, &["DAY", "CALLS", "TOKENS", "COST"], &report.days)
}

fn shadows(out: &Out, report: &LlmReport) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        "SIDE BY SIDE",
        "COMPARED",
        "AGREE",
        "MODEL TOOK",
        "RUNNER TOOK",
        "MODEL COST",
    ]);
    for site in &report.call_sites {
        let Some(shadow) = &site.shadow else { continue };
        let span = |ms: u64| took(i64::try_from(ms).unwrap_or(i64::MAX));
        table.row([
            site.id.clone(),
            format!("{} of {}", shadow.compared, shadow.shadows),
            shadow.agreement.map_or_else(|| "-".to_owned(), |rate| format!("{:.0}%", rate * 100.0)),
            span(shadow.llm_ms),
            span(shadow.runner_ms),
            dollars(shadow.llm_cost_micros),
        ]);
    }
    if !table.is_empty() {
        out.line("")?;
        out.table(&table, "")?;
    }
    Ok(())
}

fn sums(out: &Out, header: &'static [&'static str], of: &[NamedSum]) -> anyhow::Result<()> {
    let mut table = Table::new(header);
    for item in of {
        let tokens = item.sum.input_tokens.saturating_add(item.sum.output_tokens);
        table.row([
            item.name.clone(),
            item.sum.calls.to_string(),
            tokens.to_string(),
            cost(&item.sum),
        ]);
    }
    if !table.is_empty() {
        out.line("")?;
        out.table(&table, "")?;
    }
    Ok(())
}

/// A cost, with what nobody could price.
fn cost(sum: &LlmSum) -> String {
    let known = dollars(sum.cost_micros);
    if sum.unpriced == 0 { known } else { format!("{known} + {} unpriced", sum.unpriced) }
}
