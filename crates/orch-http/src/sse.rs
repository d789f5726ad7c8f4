//! Live streams: a task feeds frames into a bounded channel until its reader, the service or the
//! thing it tells of is gone.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::problem::ApiError;
use crate::state::AppState;

/// From one comment to the next while nothing happens.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a reader is asked to wait before it connects again.
const RETRY: Duration = Duration::from_secs(1);
/// Frames that wait for a slow reader; the feeder then waits as well.
const WAITING: usize = 64;

/// The sending end of a stream.
#[derive(Debug)]
pub(crate) struct Feed(mpsc::Sender<Result<Event, Infallible>>);

/// The reader is gone.
#[derive(Debug)]
pub(crate) struct Gone;

impl Feed {
    /// Tells the reader.
    pub(crate) async fn send(&self, id: u64, name: &str, data: &str) -> Result<(), Gone> {
        let event = Event::default().id(id.to_string()).event(name).data(data);
        self.0.send(Ok(event)).await.map_err(|_| Gone)
    }

    /// Tells the reader where it stands, so that it can resume before the first thing happens.
    async fn start(&self, id: u64) -> Result<(), Gone> {
        let event = Event::default().id(id.to_string()).retry(RETRY);
        self.0.send(Ok(event)).await.map_err(|_| Gone)
    }

    /// Ready when the reader is gone.
    pub(crate) async fn closed(&self) {
        self.0.closed().await;
    }
}

/// Answers with a stream that `feeder` feeds; it stands at `start` before the first frame.
pub(crate) fn stream<F>(
    state: &AppState,
    start: u64,
    feeder: impl FnOnce(Feed) -> F + Send + 'static,
) -> Result<Response, ApiError>
where
    F: Future<Output = Result<(), Gone>> + Send + 'static,
{
    let place = state.stream()?;
    let mut stopping = state.stopping();
    let (sender, receiver) = mpsc::channel(WAITING);
    let feed = Feed(sender);
    tokio::spawn(async move {
        let telling = async {
            feed.start(start).await?;
            feeder(feed).await
        };
        tokio::select! {
            // Whoever is gone needs no word about it.
            told = telling => drop(told),
            stopped = stopping.wait_for(|stopping| *stopping) => drop(stopped),
        }
        drop(place);
    });
    let sse = Sse::new(ReceiverStream::new(receiver))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keepalive"));
    Ok(sse.into_response())
}
