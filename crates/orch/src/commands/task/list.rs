//! `orch task list`.

use std::process::ExitCode;

use jiff::Timestamp;
use orch_api::TaskQuery;
use orch_core::ids::RepoName;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, Table, ago, note};
use crate::service;

/// What a task can be asked for by.
const STATES: [&str; 8] =
    ["open", "running", "queued", "waiting", "paused", "held", "done", "cancelled"];

/// List tasks, the newest first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those of this repository.
    #[arg(long, value_name = "NAME")]
    repo: Option<RepoName>,
    /// Only those doing this.
    #[arg(long, value_parser = STATES)]
    state: Option<String>,
    /// Only those at this stage.
    #[arg(long)]
    stage: Option<String>,
    /// At most this many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Asks the service page by page and shows the answer.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let client = service::client(env)?;
    let query = TaskQuery {
        repo: args.repo.as_ref().map(ToString::to_string),
        state: args.state.clone(),
        stage: args.stage.clone(),
        limit: Some(args.limit.min(orch_api::MAX_LIMIT)),
        cursor: None,
    };
    let limit = args.limit as usize;
    // One more than asked for, to know whether there are more.
    let found: Result<Vec<_>, _> = client.every_task(&query).take(limit + 1).collect();
    let mut tasks = found?;
    let more = tasks.len() > limit;
    tasks.truncate(limit);
    let out = Out::new(env);
    if args.json {
        out.json(&tasks)?;
        return Ok(Exit::Done.into());
    }
    let now = Timestamp::now();
    let mut table = Table::new(&["KEY", "STATE", "STAGE", "REPO", "CHANGED", "TITLE"]);
    for task in tasks {
        let changed = format!("{} ago", ago(now, task.updated_at));
        table.row([task.key, task.state, task.stage, task.repo, changed, task.title]);
    }
    out.table(&table, "no tasks")?;
    if more {
        note("there are more; ask for them with --limit");
    }
    Ok(Exit::Done.into())
}
