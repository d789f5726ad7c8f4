//! `orch acp-client`: one turn of an agent that speaks the Agent Client Protocol. Started by the
//! engine only.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context;
use orch_acp::{Ended, Plan};

use crate::env::Env;
use crate::exit::Exit;

/// The largest brief that is read, in bytes.
const MAX_PROMPT: u64 = 16 * 1024 * 1024;

/// Drive an agent of the Agent Client Protocol (started by the service).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The session to take up.
    #[arg(long, value_name = "ID")]
    resume: Option<String>,
    /// The agent's program and its arguments.
    #[arg(required = true, last = true, value_name = "PROGRAM")]
    agent: Vec<String>,
}

/// Gives the agent what stands on standard input, in the current directory.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let mut prompt = String::new();
    std::io::stdin()
        .take(MAX_PROMPT)
        .read_to_string(&mut prompt)
        .context("the brief on standard input can't be read")?;
    let plan = Plan {
        argv: args.agent.clone(),
        directory: env.cwd().to_owned(),
        resume: args.resume.clone(),
        prompt,
    };
    Ok(match orch_acp::run(&plan, std::io::stdout()) {
        Ended::Turn => ExitCode::SUCCESS,
        Ended::Short | Ended::Failed => ExitCode::from(Exit::Failed as u8),
    })
}
