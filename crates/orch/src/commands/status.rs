//! `orch status`: which service answers and what it has to do.

use std::process::ExitCode;

use orch_api::StatusReport;
use orch_core::money::dollars;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, Table, plain, span};
use crate::service;

/// Show which service answers and how many tasks it has.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, as GET /status gives it.
    #[arg(long)]
    json: bool,
}

/// Asks the service and shows the answer.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let report = service::client(env)?.status()?;
    let out = Out::new(env);
    if args.json {
        out.json(&report)?;
    } else {
        show(&out, &report)?;
    }
    Ok(Exit::Done.into())
}

fn show(out: &Out, report: &StatusReport) -> anyhow::Result<()> {
    let revision = report.revision.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
    let up = span(i64::try_from(report.uptime_s).unwrap_or(i64::MAX));
    let lines = [
        ("service", format!("orch {}{revision} on {}, up {up}", report.version, report.host)),
        ("instance", report.instance.clone()),
        (
            "database",
            format!("{}, schema {}", report.database.kind, report.database.schema_version),
        ),
        (
            "tasks",
            format!(
                "{} open, {} done, {} cancelled",
                report.tasks.open, report.tasks.done, report.tasks.cancelled
            ),
        ),
    ];
    for (name, text) in lines {
        out.line(format!("{}  {}", out.style.bold(&format!("{name:<8}")), plain(&text)))?;
    }
    for sum in &report.spent_today {
        let tokens = sum.sum.input_tokens.saturating_add(sum.sum.output_tokens);
        let (name, cost) = (&sum.name, dollars(sum.sum.cost_micros));
        let text = format!("{name}: {cost}, {tokens} tokens in {} calls", sum.sum.calls);
        out.line(format!("{}  {}", out.style.bold("today   "), plain(&text)))?;
    }
    let mut table = Table::new(&["STAGE", "STATE", "TASKS"]);
    for (stage, states) in &report.tasks.by_stage {
        for (state, count) in states.iter().filter(|(_, count)| **count > 0) {
            table.row([stage.clone(), state.clone(), count.to_string()]);
        }
    }
    if !table.is_empty() {
        out.table(&table, "")?;
    }
    Ok(())
}
