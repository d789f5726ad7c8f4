//! `orch db return`: the way back over a migration, for the program from before it.

use std::process::ExitCode;

use orch_store::Store;
use serde_json::json;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::Out;
use crate::{local, settings};

/// What it is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
For the program that the database is too new for. The copy that the migration left beside the \
database takes its place, and the newer database is kept as orch.db.after-NNNN-TIME. Refused where \
anything was recorded since the copy was made (a task, an event, a claim, a registration), because \
that would be lost: use the newer program then. `orch launcher` calls it when it goes back to the \
previous version.")]
pub struct Args {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let settings = settings::service(env)?.value;
    let Some(path) = local::database_file(env, &settings)? else {
        return Err(Stop::failed("a PostgreSQL database has no copy here to go back to")
            .hint("use the newer program, or restore a backup of your own")
            .into());
    };
    if !path.exists() {
        return Err(Stop::not_found(format!("no database at {}", path.display())).into());
    }
    let home = local::home(env)?;
    let _lock = home.lock()?;
    let copy = Store::turn_back(&path)?;
    let out = Out::new(env);
    match copy {
        _ if args.json => {
            out.json(&json!({ "returned_to": copy.map(|copy| copy.display().to_string()) }))?;
        }
        Some(copy) => {
            out.line(format!("{} {}", out.style.green("returned to:"), copy.display()))?;
        }
        None => out.line(format!(
            "{} this program can use the database as it is",
            out.style.green("nothing to do:")
        ))?,
    }
    Ok(Exit::Done.into())
}
