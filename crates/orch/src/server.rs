//! The API on a thread of its own, with the runtime that only it needs.

use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::{io, thread};

use anyhow::Context;
use orch_core::settings::Secret;
use orch_engine::Operator;
use orch_http::AppState;
use tokio::sync::oneshot;

use crate::build_info;
use crate::exit::Stop;

/// Threads that serve connections: they only hand work on, the database does it elsewhere.
const THREADS: usize = 2;

/// The served API; ends with the value.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    /// Takes the address; a port that is taken is an error that says so.
    pub fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
        TcpListener::bind(address).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Stop::failed(format!(
                "{address} is in use by another program"
            ))
            .hint("stop that program, or say another address: orch serve --bind 127.0.0.1:8421")
            .into(),
            _ => anyhow::Error::from(error).context(format!("{address} can't be listened at")),
        })
    }

    /// Serves what this operator can do, at the address (port 0 takes a free one).
    pub fn start(operator: &Operator, address: SocketAddr) -> anyhow::Result<Self> {
        Self::on(operator, Self::bind(address)?, None)
    }

    /// The same on a listener that is there already, for those who show the token.
    pub fn on(
        operator: &Operator,
        listener: TcpListener,
        token: Option<Secret>,
    ) -> anyhow::Result<Self> {
        let address = listener.local_addr().context("the listener has no address")?;
        listener.set_nonblocking(true).context("the listener can't be used")?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("api")
            .enable_all()
            .build()
            .context("the API's threads can't be started")?;
        let state =
            AppState::new(operator.clone()).with_revision(build_info::REVISION).with_token(token);
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            // A sender that is gone means the same as a word from it.
            let stopped = async { drop(stopped.await) };
            orch_http::serve(listener, state, stopped).await
        };
        let run = move || {
            let served = runtime.block_on(serve);
            // Work on the database that is still under way is left to end by itself.
            runtime.shutdown_background();
            served
        };
        let thread = thread::Builder::new().name("api".to_owned()).spawn(run)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether it has ended by itself, which it does only after a failure.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A receiver that is gone has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && let Ok(Err(error)) = thread.join()
        {
            tracing::error!(%error, "the API failed");
        }
    }
}
