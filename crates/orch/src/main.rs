//! The `orch` binary: reads the environment once, runs one command, and turns what it came to
//! into an exit code.

mod build_info;
mod cli;
mod commands;
mod env;
mod exit;
mod local;
mod logging;
mod output;
mod server;
mod service;
mod settings;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // A supervisor is started with an empty environment and has to detach before anything else.
    if let cli::Command::RunSupervisor(args) = &cli.command {
        return commands::run_supervisor::run(args);
    }
    // Signals are taken over before anything could start a thread.
    if let cli::Command::RemoteRunner(args) = &cli.command {
        return commands::remote_runner::run(args);
    }
    let env = match env::Env::read() {
        Ok(env) => env,
        Err(error) => return exit::report(&error.into(), output::Style::plain()),
    };
    let style = output::Style::for_stderr(&env);
    cli.command.run(&env).unwrap_or_else(|error| exit::report(&error, style))
}
