//! `orch why KEY`: why a task stands where it stands, and what moves it next.

use std::process::ExitCode;

use orch_api::Why;
use orch_core::ids::TaskKey;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, plain};
use crate::service;

/// Say why a task stands where it stands, and what moves it next.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The task, such as HELLO-1.
    key: TaskKey,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Asks the service and shows the answer.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let why = service::client(env)?.why(&args.key.to_string())?;
    let out = Out::new(env);
    if args.json {
        out.json(&why)?;
    } else {
        show(&out, &args.key, &why)?;
    }
    Ok(Exit::Done.into())
}

/// Shows the chain of reasons.
pub fn show(out: &Out, key: &TaskKey, why: &Why) -> std::io::Result<()> {
    let state = out.style.state(&plain(&why.state));
    let key = out.style.bold(&key.to_string());
    out.line(format!("{key}  {state} at {}: {}", plain(&why.stage), plain(&why.headline)))?;
    for reason in &why.reasons {
        out.line(format!("  because {}", plain(reason)))?;
    }
    out.line(format!("  {} {}", out.style.cyan("next:"), plain(&why.next)))
}
