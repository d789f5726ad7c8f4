//! `orch db`: care of the database.

mod backup;
mod migrate;
mod prune;
mod turn_back;

use std::process::ExitCode;

use serde_json::json;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::local;
use crate::output::{Out, plain};

/// Look after the database.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Bring the database up to date, or make it; refused while a service uses it.
    Migrate(migrate::Args),
    /// Go back to the copy from before a migration, where the database is too new for this program
    /// and nothing was recorded since.
    #[command(name = "return")]
    TurnBack(turn_back::Args),
    /// Check pages, constraints and every invariant; exit 1 where one is broken.
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Copy the database into a new file, also while a service uses it.
    Backup(backup::Args),
    /// Delete now what `[retention]` says is past its time, also while a service runs.
    Prune(prune::Args),
}

/// Runs the command.
pub fn run(command: Command, env: &Env) -> anyhow::Result<ExitCode> {
    match command {
        Command::Migrate(args) => migrate::run(&args, env),
        Command::TurnBack(args) => turn_back::run(&args, env),
        Command::Check { json } => check(json, env),
        Command::Backup(args) => backup::run(&args, env),
        Command::Prune(args) => prune::run(&args, env),
    }
}

fn check(as_json: bool, env: &Env) -> anyhow::Result<ExitCode> {
    let store = local::existing_store(env)?;
    let mut broken: Vec<(String, String)> =
        store.integrity()?.into_iter().map(|what| ("integrity".to_owned(), what)).collect();
    let state = store.snapshot()?.into_state(store.gate_policy());
    let (tasks, jobs) = (state.tasks.len(), state.jobs.len());
    let violations = orch_core::audit::audit(&state);
    broken.extend(violations.into_iter().map(|v| (v.law.to_owned(), v.what)));
    let out = Out::new(env);
    if as_json {
        let listed: Vec<_> =
            broken.iter().map(|(law, what)| json!({ "law": law, "what": what })).collect();
        let ok = broken.is_empty();
        out.json(&json!({ "ok": ok, "tasks": tasks, "jobs": jobs, "violations": listed }))?;
    } else if broken.is_empty() {
        out.line(format!("{} {tasks} tasks, {jobs} jobs, no violation", out.style.green("ok:")))?;
    } else {
        for (law, what) in &broken {
            out.line(format!("{}  {}", out.style.red(law), plain(what)))?;
        }
    }
    if broken.is_empty() {
        return Ok(Exit::Done.into());
    }
    if as_json {
        return Ok(Exit::Failed.into());
    }
    Err(Stop::failed(format!("the database breaks {} of its invariants", broken.len()))
        .hint("keep a copy (`orch db backup FILE`); a running service mends what it can")
        .into())
}
