//! `orch run-supervisor DIR`: the process that owns one run and outlives the service. Started by
//! the engine only.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::exit::Exit;

/// Own one run: keep its log and its exit, enforce its limits (started by the service).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory.
    dir: PathBuf,
}

/// Supervises the run to its end.
pub fn run(args: &Args) -> ExitCode {
    let code = orch_process::supervise(&args.dir);
    ExitCode::from(u8::try_from(code).unwrap_or(Exit::Failed as u8))
}
