//! `orch task show KEY`: everything about one task.

use std::process::ExitCode;

use orch_api::{RunDetail, StageMark, TaskDetail};
use orch_core::ids::TaskKey;

use crate::commands::why;
use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, Table, moment, plain, plain_lines, took};
use crate::service;

/// Show everything about one task.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as HELLO-1.
    key: TaskKey,
    /// Print JSON, as GET /tasks/KEY gives it.
    #[arg(long)]
    json: bool,
}

/// Asks the service and shows the answer.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let detail = service::client(env)?.task(&args.key.to_string())?;
    let out = Out::new(env);
    if args.json {
        out.json(&detail)?;
    } else {
        show(&out, &args.key, &detail)?;
    }
    Ok(Exit::Done.into())
}

fn show(out: &Out, key: &TaskKey, task: &TaskDetail) -> anyhow::Result<()> {
    out.line(out.style.bold(&plain(&task.summary.title)))?;
    why::show(out, key, &task.why)?;
    out.line(format!("  {}", stages(out, task)))?;
    for line in facts(task) {
        out.line(format!("  {}", plain(&line)))?;
    }
    if !task.body.trim().is_empty() {
        out.line("")?;
        for line in plain_lines(&task.body).lines() {
            out.line(format!("  {line}"))?;
        }
    }
    questions(out, task)?;
    runs(out, task)?;
    gates(out, task)
}

fn questions(out: &Out, task: &TaskDetail) -> anyhow::Result<()> {
    for asked in &task.questions {
        out.line("")?;
        let by = format!("{} asked at {}:", asked.agent, moment(asked.asked_at));
        out.line(out.style.bold(&plain(&by)))?;
        for line in plain_lines(&asked.question).lines() {
            out.line(format!("  {line}"))?;
        }
        let answer = asked.answer.as_deref().unwrap_or("nobody answered yet");
        for line in plain_lines(answer).lines() {
            out.line(format!("  → {line}"))?;
        }
    }
    Ok(())
}

fn stages(out: &Out, task: &TaskDetail) -> String {
    let names: Vec<String> = task
        .pipeline
        .iter()
        .map(|stage| match stage.mark {
            StageMark::Passed => out.style.green(&stage.name),
            StageMark::Current => out.style.bold(&format!("[{}]", stage.name)),
            StageMark::Ahead => out.style.dim(&stage.name),
        })
        .collect();
    names.join(" → ")
}

fn facts(task: &TaskDetail) -> Vec<String> {
    let summary = &task.summary;
    let progress = &task.progress;
    let mut lines = vec![format!(
        "repository {}, priority {}, submitted {}",
        summary.repo,
        summary.priority,
        moment(summary.created_at)
    )];
    let marks =
        [("head", &progress.head), ("tested", &progress.tested), ("merged", &progress.merged)];
    let marks = marks
        .into_iter()
        .filter_map(|(name, revision)| Some(format!("{name} {}", short(revision.as_ref()?))));
    let branch: Vec<String> =
        std::iter::once(format!("branch {}", progress.branch)).chain(marks).collect();
    lines.push(branch.join(", "));
    let cost = &task.cost;
    lines.push(format!(
        "{} bounces, {} retests; {} runs in {}, {} tokens in, {} out, ${:.2}",
        progress.bounces,
        progress.retests,
        cost.runs,
        took(i64::try_from(cost.run_time_ms).unwrap_or(i64::MAX)),
        cost.usage.input_tokens,
        cost.usage.output_tokens,
        cost.usage.cost_micros as f64 / 1e6,
    ));
    if let Some(reason) = &task.cancel_reason {
        lines.push(format!("cancelled: {reason}"));
    }
    lines.extend(task.left_out.iter().map(|l| format!("left out: {} ({})", l.stage, l.reason)));
    lines
}

/// The first 10 characters of a revision.
fn short(revision: &str) -> String {
    revision.chars().take(10).collect()
}

fn runs(out: &Out, task: &TaskDetail) -> anyhow::Result<()> {
    let mut table = Table::new(&["RUN", "STAGE", "AGENT", "TRY", "TOOK", "OUTCOME"]);
    for run in &task.runs {
        table.row([
            run.run_id.clone(),
            run.stage.clone(),
            run.agent.clone(),
            run.attempt.to_string(),
            run.duration_ms.map_or_else(|| "-".to_owned(), took),
            outcome(run),
        ]);
    }
    if !table.is_empty() {
        out.line("")?;
        out.table(&table, "")?;
    }
    Ok(())
}

/// How a run ended: its exit code where the work ran to its own end, else what happened to it.
fn outcome(run: &RunDetail) -> String {
    let detail = run.outcome_detail.as_ref().map(|d| format!(": {d}")).unwrap_or_default();
    match (&run.outcome, run.exit_code) {
        (None, _) => "running".to_owned(),
        (Some(_), Some(code)) => format!("exit {code}{detail}"),
        (Some(name), None) => format!("{name}{detail}"),
    }
}

fn gates(out: &Out, task: &TaskDetail) -> anyhow::Result<()> {
    if task.gate_results.is_empty() {
        return Ok(());
    }
    out.line("")?;
    for result in &task.gate_results {
        let verdict = out.style.state(&plain(&result.verdict));
        let reasons = plain(&result.reasons.join("; "));
        out.line(format!("{verdict}  {}  {reasons}", plain(&result.gate)))?;
    }
    Ok(())
}
