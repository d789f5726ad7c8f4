//! Serving: accepts connections until told to stop, then ends within a moment.

use std::io;
use std::time::Duration;

use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;

use crate::routes::router;
use crate::state::AppState;

/// How long requests that are being answered have after the stop.
const DRAIN: Duration = Duration::from_secs(1);

/// Serves until `shutdown` is ready; live streams end at once, other requests have a second.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let state = state.listening_on(listener.local_addr()?);
    let mut stopping = state.stopping();
    let stop = state.clone();
    let server = axum::serve(
        // Events are small and must not wait for more bytes to fill a packet.
        listener.tap_io(|connection| drop(connection.set_nodelay(true))),
        router(state),
    )
    .with_graceful_shutdown(async move {
        shutdown.await;
        stop.stop();
    });
    tokio::select! {
        ended = server.into_future() => ended,
        () = async move {
            // The sender lives as long as the server does.
            drop(stopping.wait_for(|stopping| *stopping).await);
            tokio::time::sleep(DRAIN).await;
        } => Ok(()),
    }
}
