//! Torture: what the service and its database survive, as commands that take a seed.

mod chaos;
mod interrupt;
mod isolate;
mod postgres;
mod power_cut;
mod request;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Faults on purpose, and a judge who looks at what is left.
#[derive(Debug, Parser)]
#[command(name = "orch-torture", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    chaos: chaos::Args,
}

/// Every torture; without a name it is the first.
#[derive(Debug, Subcommand)]
enum Command {
    /// Kill, stop, starve and restart the real service under load; nothing may be lost or done twice.
    Chaos(chaos::Args),
    /// Cut the power at any moment of the database's own writes; nothing acknowledged may be lost.
    PowerCut(power_cut::Args),
    /// Restart the PostgreSQL server under load; nothing acknowledged may be lost.
    Postgres(postgres::Args),
}

fn main() -> ExitCode {
    let Cli { command, chaos } = Cli::parse();
    let done = match command.unwrap_or(Command::Chaos(chaos)) {
        Command::Chaos(args) => chaos::run(&args),
        Command::PowerCut(args) => power_cut::run(&args),
        Command::Postgres(args) => postgres::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
