//! `orch remote-runner DIR`: follows one run on another machine. Started by a run's supervisor only.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::exit::Exit;

/// Follow one run on another machine to its end (started by the run's supervisor).
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's directory.
    dir: PathBuf,
}

/// Follows the run to its end.
pub fn run(args: &Args) -> ExitCode {
    let code = orch_process::ssh::remote_runner_main([args.dir.clone().into_os_string()]);
    ExitCode::from(u8::try_from(code).unwrap_or(Exit::Failed as u8))
}
