//! `orch worker`: a worker alone, on a machine of its own, against a database that it shares.

use std::process::ExitCode;

use anyhow::Context;
use orch_engine::{Engine, Service};

use super::serve::{PATIENCE, stop_signal};
use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::Out;
use crate::{local, logging};

/// Run a worker alone, on another machine, against the same PostgreSQL.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It needs ORCH_DATABASE_URL of the service, a state directory of its own, git with \
    access to the repositories' remotes, and what their agents and suites need. It takes jobs whose \
    labels it has, and looks after its own runs; when it is gone for longer than a lease, others \
    take its jobs. SIGTERM and SIGINT end it; running agents go on under their supervisors, and it \
    takes them up again when it is started anew."
)]
pub struct Args {
    /// What this worker has, in place of ORCH_WORKER_LABELS.
    #[arg(long, value_name = "LABEL,…")]
    labels: Option<String>,
    /// Runs at once, in place of ORCH_MAX_CONCURRENCY.
    #[arg(long, value_name = "N")]
    capacity: Option<u32>,
}

/// Works until told to stop.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let mut env = env.clone();
    if let Some(labels) = &args.labels {
        env = env.with_var("ORCH_WORKER_LABELS", labels.clone());
    }
    if let Some(capacity) = args.capacity {
        env = env.with_var("ORCH_MAX_CONCURRENCY", capacity.to_string());
    }
    let home = env.home()?.to_owned();
    let config = local::engine_config(&env, &home)?;
    if local::database_file(&env, &config.settings)?.is_some() {
        return Err(Stop::usage("a worker needs a database that several machines can share")
            .hint("set ORCH_DATABASE_URL to the service's postgres://… address; on one machine `orch serve` works by itself")
            .into());
    }
    logging::start(&config.settings.service, &env)?;
    let _lock = config.home.lock()?;
    orch_process::hide_environment();
    let stop = stop_signal()?;
    let engine = Engine::open(config)?;
    let (id, capacity) = (engine.worker.clone(), engine.settings.max_concurrency);
    let labels: Vec<&str> = engine.settings.labels.iter().map(AsRef::as_ref).collect();
    let labels = if labels.is_empty() { "no labels".to_owned() } else { labels.join(", ") };
    let service = Service::start(engine.clone(), true).context("the worker can't be started")?;
    Out::new(&env).line(format!(
        "orch {} works as {id}: {capacity} at once, {labels}",
        env!("CARGO_PKG_VERSION")
    ))?;
    // The sender lives as long as the process.
    let _ = stop.recv();
    tracing::info!("the worker ends; running agents go on under their supervisors");
    service.stop(PATIENCE);
    Ok(Exit::Done.into())
}
