//! `orch events`: what happened, and what happens.

use std::process::ExitCode;

use orch_api::{EventItem, EventQuery};

use orch_core::ids::{RepoName, TaskKey};

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, moment, plain};
use crate::service;

/// Show what happened, the oldest first; with -f go on with what happens.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those about this task.
    #[arg(long, value_name = "KEY")]
    task: Option<TaskKey>,
    /// Only those about this repository.
    #[arg(long, value_name = "NAME")]
    repo: Option<RepoName>,
    /// Only those after this number.
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// Without --after: the last this many.
    #[arg(short = 'n', long, default_value_t = 50)]
    lines: u32,
    /// Go on with what happens, until interrupted.
    #[arg(short, long)]
    follow: bool,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
}

/// Shows the history, then follows it where that is wanted.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = service::client(env)?;
    let out = Out::new(env);
    let last = client.status()?.last_event_id;
    let from = args.after.unwrap_or_else(|| match (&args.task, &args.repo) {
        // A filter thins the history out: all of it is looked through for the last lines.
        (None, None) => last.saturating_sub(i64::from(args.lines)).max(0),
        _ => 0,
    });
    let mut query = EventQuery {
        task: args.task.as_ref().map(ToString::to_string),
        repo: args.repo.as_ref().map(ToString::to_string),
        after: Some(from),
        limit: Some(orch_api::MAX_LIMIT),
        ..EventQuery::default()
    };
    let mut shown = Vec::new();
    loop {
        let page = client.events(&query)?;
        shown.extend(page.items);
        if args.after.is_none() {
            let surplus = shown.len().saturating_sub(args.lines as usize);
            shown.drain(..surplus);
        }
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            break;
        }
    }
    let reached = shown.last().map_or(last.max(from), |event| event.id.max(last));
    for event in &shown {
        print(&out, event, args.json)?;
    }
    if !args.follow {
        return Ok(Exit::Done.into());
    }
    for event in client.events_stream(Some(reached))? {
        let event = event?;
        let about = |wanted: Option<String>, found: &Option<String>| {
            wanted.is_none_or(|wanted| found.as_ref() == Some(&wanted))
        };
        if about(query.task.clone(), &event.task) && about(query.repo.clone(), &event.repo) {
            print(&out, &event, args.json)?;
        }
    }
    Ok(Exit::Done.into())
}

fn print(out: &Out, event: &EventItem, as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return out.json_line(event);
    }
    let about = event.task.as_ref().or(event.repo.as_ref()).map_or("-", String::as_str);
    let at = out.style.dim(&moment(event.at));
    let kind = format!("{:<20}", plain(&event.kind));
    out.line(format!(
        "{at}  {:<10}  {}  {}",
        plain(about),
        out.style.cyan(&kind),
        plain(&event.message)
    ))?;
    Ok(())
}
