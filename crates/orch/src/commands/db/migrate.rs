//! `orch db migrate`: brings the database up to date, or says what that would do.

use std::process::ExitCode;

use orch_store::{MigrationPlan, Store};
use serde_json::json;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, plain};
use crate::{local, settings};

/// What it is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
All that is missing is done in one transaction: a step that fails leaves the database as it was, for \
the program from before. Before the first step a checked copy of a SQLite database is left beside it \
(orch.db.before-NNNN-TIME, the newest five are kept). Backups of a PostgreSQL database are the \
operator's.")]
pub struct Args {
    /// Try every missing step and keep nothing: on a copy of a SQLite database, in a transaction
    /// that is undone on PostgreSQL. Also while a service runs.
    #[arg(long)]
    dry_run: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let out = Out::new(env);
    if args.dry_run {
        return announce(&out, &plan(env)?, args.json);
    }
    let home = local::home(env)?;
    let _lock = home.lock()?;
    let schema = local::store(env)?.schema_info()?;
    if args.json {
        let applied: Vec<_> = schema
            .applied
            .iter()
            .map(|step| json!({ "version": step.version, "name": step.name, "program": step.program }))
            .collect();
        out.json(&json!({ "version": schema.version, "applied": applied }))?;
    } else {
        out.line(format!("{} schema version {}", out.style.green("up to date:"), schema.version))?;
    }
    Ok(Exit::Done.into())
}

/// What opening the database would do to it.
fn plan(env: &Env) -> anyhow::Result<MigrationPlan> {
    let settings = settings::service(env)?.value;
    let file = local::database_file(env, &settings)?;
    let url = settings.service.database_url.as_ref().map(|url| url.expose().to_owned());
    let address = match file {
        Some(path) => format!("sqlite:{}", path.display()),
        None => url.unwrap_or_default(),
    };
    Ok(Store::migration_plan(&address)?)
}

fn announce(out: &Out, plan: &MigrationPlan, as_json: bool) -> anyhow::Result<ExitCode> {
    if as_json {
        let pending: Vec<_> = plan
            .pending
            .iter()
            .map(|(version, name)| json!({ "version": version, "name": name }))
            .collect();
        out.json(&json!({
            "dry_run": true, "version": plan.from, "supported": plan.to, "pending": pending,
        }))?;
    } else if plan.pending.is_empty() {
        let ok = out.style.green("nothing to do:");
        out.line(format!("{ok} schema version {} is up to date", plan.from))?;
    } else {
        for (version, name) in &plan.pending {
            out.line(format!("{} {version:04} {}", out.style.cyan("would take:"), plain(name)))?;
        }
        let to = plan.pending.last().map_or(plan.from, |(version, _)| *version);
        out.line(format!("from schema version {} to {to}; every step was tried", plan.from))?;
    }
    Ok(Exit::Done.into())
}
