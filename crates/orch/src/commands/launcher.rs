//! `orch launcher`: the service manager where there is none, and the one that goes back.

use std::path::PathBuf;
use std::process::ExitCode;

use orch_core::settings::{Secret, ServiceSettings};
use orch_core::switch::Limits;
use orch_launcher::{Config, Prefix};

use super::serve::stop_signal;
use crate::env::Env;
use crate::exit::Exit;
use crate::output::Out;
use crate::{logging, settings};

/// Start the installed version, keep it running, and switch versions when asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It starts PREFIX/current/orch serve, starts it again when it crashes (after 1 s, \
    2 s, … 60 s), and follows `orch self switch`: the new version has to be healthy in time, or the \
    one before takes its place again. SIGTERM and SIGINT end it and the service; running agents go \
    on under their supervisors. A launcher that was killed is made up for by the next one. See \
    docs/operations/self-deploy.md."
)]
pub struct Args {
    /// The folder of the versions, in place of ORCH_LAUNCHER_PREFIX.
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// What `orch serve` is given, after `--`.
    #[arg(last = true)]
    serve: Vec<String>,
}

/// Looks after the service until told to stop.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let settings = settings::service(env)?.value;
    logging::start(&settings.service, env)?;
    let prefix = prefix(args.prefix.as_ref(), &settings, env)?;
    let home = crate::local::home(env)?;
    let own = &settings.launcher;
    let config = Config {
        home: home.path().to_owned(),
        limits: Limits { healthy_within: own.healthy_within, stop_within: own.stop_within },
        keep: own.keep_versions as usize,
        token: settings.service.api_token.as_ref().map(Secret::expose).map(str::to_owned),
        args: args.serve.clone(),
        prefix,
    };
    let stop = stop_signal()?;
    Out::new(env).line(format!("launching versions of {}", config.prefix.path().display()))?;
    orch_launcher::run(&config, &stop)?;
    Ok(Exit::Done.into())
}

/// The folder of the versions: as given, as set, else in the state directory.
pub fn prefix(
    given: Option<&PathBuf>,
    settings: &ServiceSettings,
    env: &Env,
) -> anyhow::Result<Prefix> {
    let path = match (given, &settings.launcher.prefix) {
        (Some(path), _) => env.cwd().join(path),
        (None, Some(path)) => env.cwd().join(path),
        (None, None) => env.home()?.join("install"),
    };
    Ok(Prefix::open(&path)?)
}
