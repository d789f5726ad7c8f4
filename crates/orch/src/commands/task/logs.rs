//! `orch task logs KEY`: what a task's runs print, and what they were told.

use std::process::ExitCode;

use orch_api::{Client, LogLine, RunDetail};
use orch_core::ids::{RunId, TaskKey};

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::{Out, note, plain, plain_lines};
use crate::service;

/// Show what a task's last run printed; with -f go on until the run ends.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as HELLO-1.
    key: TaskKey,
    /// This run in place of the last one.
    #[arg(long, value_name = "RUN_ID", conflicts_with = "all")]
    run: Option<RunId>,
    /// Every run, the oldest first.
    #[arg(long)]
    all: bool,
    /// Go on with what the run prints, until it ends.
    #[arg(short, long)]
    follow: bool,
    /// Show the brief that the run's agent was given, in place of what it printed.
    #[arg(long, conflicts_with = "follow")]
    brief: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Shows the logs of the chosen runs.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = service::client(env)?;
    let runs = client.task(&args.key.to_string())?.runs;
    let out = Out::new(env);
    let chosen = choose(args, &runs)?;
    if chosen.is_empty() {
        note(format!("{} has had no run yet; see `orch why {}`", args.key, args.key));
    }
    for run in chosen {
        if args.all && !args.json {
            let title = format!("{}  {} by {}", run.run_id, run.stage, run.agent);
            out.line(out.style.bold(&plain(&title)))?;
        }
        if args.brief {
            brief(&client, &out, args, &run.run_id)?;
        } else {
            show(&client, &out, args, &run.run_id)?;
        }
    }
    Ok(Exit::Done.into())
}

fn choose<'a>(args: &Args, runs: &'a [RunDetail]) -> Result<Vec<&'a RunDetail>, Stop> {
    if let Some(id) = &args.run {
        let found = runs.iter().find(|run| run.run_id == id.as_str());
        return found.map(|run| vec![run]).ok_or_else(|| {
            Stop::not_found(format!("{} has no run {id}", args.key))
                .hint(format!("see `orch task show {}`", args.key))
        });
    }
    Ok(if args.all { runs.iter().collect() } else { runs.last().into_iter().collect() })
}

fn show(client: &Client, out: &Out, args: &Args, run_id: &str) -> anyhow::Result<()> {
    if args.follow {
        for entry in client.run_log_follow(run_id, 0)? {
            match entry?.line {
                Ok(line) => print(out, &line, args.json)?,
                Err(text) => out.line(plain(&text))?,
            }
        }
        return Ok(());
    }
    let log = client.run_log(run_id)?;
    if log.is_empty() && !args.json {
        note(format!("run {run_id} has printed nothing"));
    }
    for text in String::from_utf8_lossy(&log).lines() {
        match serde_json::from_str::<LogLine>(text) {
            Ok(line) => print(out, &line, args.json)?,
            Err(_) => out.line(plain(text))?,
        }
    }
    Ok(())
}

/// Shows a run's brief; among several runs those of nobody's have none.
fn brief(client: &Client, out: &Out, args: &Args, run_id: &str) -> anyhow::Result<()> {
    let text = match client.run_brief(run_id) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if args.all && error.status() == Some(404) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if args.json {
        return out.json_line(&serde_json::json!({ "run_id": run_id, "brief": text }));
    }
    out.line(plain_lines(&text).trim_end())?;
    Ok(())
}

fn print(out: &Out, line: &LogLine, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return out.json_line(line);
    }
    let text = plain(&line.text);
    out.line(match line.stream.as_str() {
        "stdout" => text,
        "stderr" => out.style.yellow(&text),
        other => out.style.dim(&format!("[{other}] {text}")),
    })?;
    Ok(())
}
