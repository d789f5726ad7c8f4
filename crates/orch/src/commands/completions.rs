//! `orch completions SHELL`: what a shell needs to complete our command line.

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::env::Env;
use crate::exit::Exit;
use crate::output::Out;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: orch completions bash > ~/.local/share/bash-completion/completions/orch"
)]
pub struct Args {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "orch", &mut script);
    Out::new(env).raw(&script)?;
    Ok(Exit::Done.into())
}
