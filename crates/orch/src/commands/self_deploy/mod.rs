//! `orch self`: installed versions of the program, and the switch between them.

mod build;
mod check;
mod deploy;
mod install;
mod status;
mod switch;

use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::settings::ServiceSettings;
use orch_launcher::Prefix;

use super::launcher;
use crate::env::Env;
use crate::settings;

/// Install versions of orch side by side, and switch between them.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Install(install::Args),
    Switch(switch::Args),
    Rollback(switch::RollbackArgs),
    Status(status::Args),
    Deploy(deploy::Args),
}

/// Where the versions are.
#[derive(Debug, clap::Args)]
struct Where {
    /// The folder of the versions, in place of ORCH_LAUNCHER_PREFIX.
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
}

impl Where {
    fn open(&self, env: &Env) -> anyhow::Result<(Prefix, ServiceSettings)> {
        let settings = settings::service(env)?.value;
        let prefix = launcher::prefix(self.prefix.as_ref(), &settings, env)?;
        Ok((prefix, settings))
    }
}

/// Runs the command.
pub fn run(command: &Command, env: &Env) -> anyhow::Result<ExitCode> {
    match command {
        Command::Install(args) => install::run(args, env),
        Command::Switch(args) => switch::run(args, env),
        Command::Rollback(args) => switch::roll_back(args, env),
        Command::Status(args) => status::run(args, env),
        Command::Deploy(args) => deploy::run(args, env),
    }
}
