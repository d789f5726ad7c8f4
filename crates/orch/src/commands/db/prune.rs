//! `orch db prune`: what is past its time goes now.

use std::process::ExitCode;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use orch_engine::Engine;
use orch_engine::retention::{self, Preview, Round};
use serde_json::json;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::local;
use crate::output::Out;

/// What it is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is open, runs or is among the newest is never deleted. The service does the same every hour; \
`orch config show` tells how long what is kept.")]
pub struct Args {
    /// Only say what would be deleted.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    // Looked for first: pruning makes no database.
    drop(local::existing_store(env)?);
    let engine = Engine::open(local::engine_config(env, env.home()?)?)?;
    let out = Out::new(env);
    let due = retention::preview(&engine)?;
    if args.dry_run {
        return announce(&out, &due, args.json);
    }
    let bar = bar(due.tasks.tasks);
    let done = retention::round(&engine, &mut |done| bar.set_position(done.tasks));
    bar.finish_and_clear();
    report(&out, &done?, args.json)
}

/// Shown on a terminal alone.
fn bar(tasks: u64) -> ProgressBar {
    let bar = ProgressBar::new(tasks);
    let style = ProgressStyle::with_template("deleting tasks {pos}/{len} {wide_bar} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

fn announce(out: &Out, due: &Preview, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        out.json(&json!({
            "dry_run": true,
            "tasks": due.tasks.tasks,
            "runs": due.tasks.runs,
            "events": due.tasks.events,
            "records": due.records,
            "run_dirs": due.run_dirs,
            "bytes": due.bytes,
        }))?;
        return Ok(Exit::Done.into());
    }
    if *due == Preview::default() {
        out.line(format!("{} nothing is past its time", out.style.green("ok:")))?;
        return Ok(Exit::Done.into());
    }
    out.line(format!(
        "{} {} with {} and {}, {}, and {} of finished runs ({})",
        out.style.cyan("would delete:"),
        some(due.tasks.tasks, "task"),
        some(due.tasks.runs, "run"),
        some(due.tasks.events, "event"),
        some(due.records, "other record"),
        directories(due.run_dirs),
        HumanBytes(due.bytes),
    ))?;
    Ok(Exit::Done.into())
}

fn report(out: &Out, done: &Round, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        out.json(&json!({
            "dry_run": false,
            "tasks": done.tasks,
            "rows": done.rows,
            "records": done.records,
            "run_dirs": done.run_dirs,
            "bytes": done.bytes,
            "branches": done.branches,
            "failed": done.failed,
        }))?;
    } else if *done == Round::default() {
        out.line(format!("{} nothing is past its time", out.style.green("ok:")))?;
    } else {
        out.line(format!(
            "{} {} ({}), {}, and {} of finished runs ({})",
            out.style.green("deleted:"),
            some(done.tasks, "task"),
            some(done.rows, "row"),
            some(done.records, "other record"),
            directories(done.run_dirs),
            HumanBytes(done.bytes),
        ))?;
    }
    match done.failed {
        0 => Ok(Exit::Done.into()),
        _ if as_json => Ok(Exit::Failed.into()),
        failed => Err(Stop::failed(format!(
            "the files of {} could not be deleted",
            some(failed, "task or run")
        ))
        .hint("see who owns the files in `runs` and `worktrees` of the state directory, then call it again")
        .into()),
    }
}

fn some(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn directories(number: u64) -> String {
    if number == 1 { "1 directory".to_owned() } else { format!("{number} directories") }
}
