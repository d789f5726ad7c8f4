//! Benchmarks: what the queue does, beside what its database and its disk allow on the same machine
//! in the same run.

mod queue;
mod spread;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures; every goal is a ratio within one run, because disks and neighbours differ.
#[derive(Debug, Parser)]
#[command(name = "orch-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The queue: jobs per second beside the raw limit, claim latency, recovery, spawn.
    Queue(queue::Args),
}

fn main() -> ExitCode {
    let Command::Queue(args) = Cli::parse().command;
    queue::run(&args).unwrap_or_else(|error| {
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
