//! `orch alerts`: who is told of what has to be mended.

use std::process::ExitCode;

use orch_engine::alerts;

use crate::env::Env;
use crate::exit::Exit;
use crate::output::{Out, plain};
use crate::settings;

/// Say who is told of what has to be mended, and try it out.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Send a trial to every receiver of [alerts]; exit 1 where one could not be told.
    Test,
}

/// Runs the command.
pub fn run(command: &Command, env: &Env) -> anyhow::Result<ExitCode> {
    let Command::Test = command;
    let settings = settings::service(env)?.value.alerts;
    let out = Out::new(env);
    if settings.receivers.is_empty() {
        out.line("nobody is told: set one of the keys of [alerts], such as webhook_url")?;
        return Ok(Exit::Failed.into());
    }
    let mut told_all = true;
    for (receiver, told) in alerts::try_out(&settings, env.host()) {
        told_all &= told.is_ok();
        match told {
            Ok(()) => out.line(format!("{receiver}: told"))?,
            Err(error) => out.line(out.style.red(&plain(&format!("{receiver}: {error}"))))?,
        }
    }
    Ok(if told_all { Exit::Done } else { Exit::Failed }.into())
}
