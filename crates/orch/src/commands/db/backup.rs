//! `orch db backup`: a copy of the database while it is in use.

use std::path::PathBuf;
use std::process::ExitCode;

use indicatif::HumanBytes;
use serde_json::json;

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::local;
use crate::output::{Out, note};

/// What it is asked for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The copy shows one moment, is checked as a whole before it gets its name, and can be read by its \
owner only. Its folder must be there.

To restore: stop the service, put the copy in the place of orch.db in the state directory, remove \
orch.db-wal, orch.db-shm, mirrors and worktrees, start the service. What a restored service does is \
in docs/operations/running.md.")]
pub struct Args {
    /// The file to make; one that is there is refused.
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let to = env.cwd().join(&args.file);
    let store = local::existing_store(env)?;
    let shown = to.display();
    if to.is_dir() {
        return Err(Stop::failed(format!("{shown} is a folder"))
            .hint("name a file in it, such as orch-2026-01-31.db")
            .into());
    }
    if to.symlink_metadata().is_ok() {
        return Err(Stop::failed(format!("{shown} is there already"))
            .hint("name another file; a backup never overwrites one")
            .into());
    }
    if to.parent().is_some_and(|folder| !folder.is_dir()) {
        return Err(Stop::failed(format!("there is no folder for {shown}"))
            .hint("make it first, or name another file")
            .into());
    }
    if env.stderr_terminal {
        note("copying the database and checking the copy …");
    }
    store.backup(&to)?;
    let bytes = to.metadata().map(|meta| meta.len()).unwrap_or_default();
    let out = Out::new(env);
    if args.json {
        out.json(&json!({ "file": to.display().to_string(), "bytes": bytes, "checked": true }))?;
    } else {
        let written = out.style.green("written and checked:");
        out.line(format!("{written} {shown} ({})", HumanBytes(bytes)))?;
    }
    Ok(Exit::Done.into())
}
