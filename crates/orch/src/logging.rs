//! The service's log: lines on stderr, for people or as JSON.

use orch_core::settings::{LogFormat, Service};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::env::Env;
use crate::exit::Stop;

/// Starts logging as the settings say. Fails on a filter that can't be read.
pub fn start(settings: &Service, env: &Env) -> Result<(), Stop> {
    let filter = EnvFilter::builder().parse(&settings.log).map_err(|error| {
        Stop::usage(format!("the log filter {:?} can't be read: {error}", settings.log))
            .hint("set ORCH_LOG to something like info or info,orch_engine=debug")
    })?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings.log_format {
        LogFormat::Json => lines.json().init(),
        LogFormat::Text => lines.with_ansi(env.stderr_terminal && !env.no_color).init(),
    }
    Ok(())
}
