//! `orch serve`: API, worker, reaper and reconciler in one process.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use anyhow::Context;
use orch_engine::{Engine, Operator, Service};
use tokio::signal::unix::{SignalKind, signal};

use crate::env::Env;
use crate::exit::{Exit, Stop};
use crate::output::Out;
use crate::server::Server;
use crate::service::{Announcement, url};
use crate::{local, logging};

/// Run the service: API, worker, reaper and reconciler in one process.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "SIGTERM and SIGINT end it within two seconds; running agents go on under their \
    supervisors, and the next service takes them up again."
)]
pub struct Args {
    /// Control plane only: claim no job.
    #[arg(long)]
    no_worker: bool,
    /// Where the API listens, in place of ORCH_BIND; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<SocketAddr>,
}

/// How long runs that are being settled have at the end.
pub(super) const PATIENCE: Duration = Duration::from_millis(800);
/// How often it is looked whether the API still serves.
const LOOK: Duration = Duration::from_secs(1);

/// Serves until told to stop.
pub fn run(args: &Args, env: &Env) -> anyhow::Result<ExitCode> {
    let env = match args.bind {
        Some(bind) => env.with_var("ORCH_BIND", bind.to_string()),
        None => env.clone(),
    };
    let home = env.home()?.to_owned();
    let config = local::engine_config(&env, &home)?;
    let bind = config.settings.service.bind;
    let token = config.settings.service.api_token.clone();
    refuse_open(bind, token.is_some())?;
    orch_process::hide_environment();
    logging::start(&config.settings.service, &env)?;
    let _lock = config.home.lock()?;
    let stop = stop_signal()?;
    let listener = Server::bind(bind)?;
    let engine = Engine::open(config)?;
    let operator = Operator::new(std::sync::Arc::clone(&engine));
    let service =
        Service::start(engine, !args.no_worker).context("the service can't be started")?;
    let server = Server::on(&operator, listener, token)?;
    let announcement = Announcement::make(&home, server.address())
        .with_context(|| format!("{} can't be written", home.display()))?;
    let at = url(server.address());
    Out::new(&env).line(format!("orch {} serves at {at}", env!("CARGO_PKG_VERSION")))?;
    let ended = wait(&stop, &server);
    tracing::info!("the service ends; running agents go on under their supervisors");
    drop(announcement);
    drop(server);
    service.stop(PATIENCE);
    ended
}

/// Without a token the API is for this machine alone.
fn refuse_open(bind: SocketAddr, has_token: bool) -> Result<(), Stop> {
    if has_token || bind.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Stop::usage(format!("{bind} is open to other machines, and no API token is set")).hint(
        format!("set ORCH_API_TOKEN, or bind to 127.0.0.1:{} and reach it by ssh -L", bind.port()),
    ))
}

/// Waits for a signal, or for the API's failure.
fn wait(stop: &mpsc::Receiver<()>, server: &Server) -> anyhow::Result<ExitCode> {
    loop {
        match stop.recv_timeout(LOOK) {
            Ok(()) | Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(Exit::Done.into()),
            Err(mpsc::RecvTimeoutError::Timeout) if server.has_ended() => {
                return Err(Stop::failed("the API ended by itself").hint("see the log").into());
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Listens for SIGTERM and SIGINT from now on.
pub(super) fn stop_signal() -> anyhow::Result<mpsc::Receiver<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("signals can't be listened for")?;
    let (terminate, interrupt) = {
        let _guard = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let (told, stop) = mpsc::channel();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let (mut terminate, mut interrupt) = (terminate, interrupt);
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        // Nobody listens any more where the service has ended by itself.
        let _ = told.send(());
    })?;
    Ok(stop)
}
