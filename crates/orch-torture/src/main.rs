//! Torture: what the service and its database survive, as commands that take a seed.

mod power_cut;

use std::process::ExitCode;

use clap::Parser;

/// Faults on purpose, and a judge who looks at what is left.
#[derive(Debug, Parser)]
#[command(name = "orch-torture", version)]
enum Command {
    /// Cut the power at any moment of the database's own writes; nothing acknowledged may be lost.
    PowerCut(power_cut::Args),
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::PowerCut(args) => power_cut::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}
