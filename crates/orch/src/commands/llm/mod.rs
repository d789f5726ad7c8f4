//! `orch llm`: what language models are asked for, and what that costs.

mod report;

use std::process::ExitCode;

use crate::env::Env;

/// Look at what language models are asked for and what that costs.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Report(report::Args),
}

/// Runs the command.
pub fn run(command: &Command, env: &Env) -> anyhow::Result<ExitCode> {
    match command {
        Command::Report(args) => report::run(args, env),
    }
}
