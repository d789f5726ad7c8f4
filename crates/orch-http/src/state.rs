//! What every handler is given.

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::Timestamp;
use orch_core::settings::Secret;
use orch_engine::Operator;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::problem::ApiError;

/// Live streams at once: each holds a connection and reads the database at every event.
const MAX_STREAMS: usize = 256;

/// What every handler is given; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState {
    operator: Operator,
    revision: Option<Arc<str>>,
    token: Option<Secret>,
    runners: RunnerSwitches,
    loopback_only: bool,
    /// The number of the last event; changes with every commit that records one.
    news: watch::Sender<i64>,
    /// True once the service is going down: live streams end.
    stopping: watch::Sender<bool>,
    streams: Arc<Semaphore>,
}

/// The service-wide switches of the runners; a repository's own file can't set them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RunnerSwitches {
    pub(crate) testing: bool,
    pub(crate) staging: bool,
    pub(crate) staging_on_host: bool,
}

impl RunnerSwitches {
    fn of(operator: &Operator) -> Self {
        match operator.engine().sources.repository("orch.toml", "") {
            Ok(settings) => Self {
                testing: settings.test_runner.enabled,
                staging: settings.staging_runner.enabled,
                staging_on_host: settings.staging_runner.exec_host_side,
            },
            // Settings that can't be read let no task in, so no runner works either.
            Err(_) => Self { testing: false, staging: false, staging_on_host: false },
        }
    }
}

impl AppState {
    /// Serves what this operator can do. Until [`Self::listening_on`] says otherwise it is taken
    /// to listen on loopback only.
    pub fn new(operator: Operator) -> Self {
        let news = watch::Sender::new(0);
        let told = news.clone();
        operator.store().subscribe(Box::new(move |event| {
            told.send_replace(event.0);
        }));
        Self {
            runners: RunnerSwitches::of(&operator),
            operator,
            revision: None,
            token: None,
            loopback_only: true,
            news,
            stopping: watch::Sender::new(false),
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
        }
    }

    /// The revision that the program was built from, for `GET /status`.
    #[must_use]
    pub fn with_revision(mut self, revision: Option<&str>) -> Self {
        self.revision = revision.map(Arc::from);
        self
    }

    /// What every request but the probes has to show; `None` asks for nothing.
    #[must_use]
    pub fn with_token(mut self, token: Option<Secret>) -> Self {
        self.token = token;
        self
    }

    /// Where it listens: on loopback, requests for other host names are refused.
    #[must_use]
    pub fn listening_on(mut self, address: SocketAddr) -> Self {
        self.loopback_only = address.ip().to_canonical().is_loopback();
        self
    }

    pub(crate) fn operator(&self) -> &Operator {
        &self.operator
    }

    pub(crate) fn revision(&self) -> Option<&str> {
        self.revision.as_deref()
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_ref().map(Secret::expose)
    }

    pub(crate) fn runners(&self) -> RunnerSwitches {
        self.runners
    }

    pub(crate) fn loopback_only(&self) -> bool {
        self.loopback_only
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.operator.engine().clock.now()
    }

    /// Wakes with every event.
    pub(crate) fn news(&self) -> watch::Receiver<i64> {
        self.news.subscribe()
    }

    /// Becomes true once the service is going down.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// A place among the live streams.
    pub(crate) fn stream(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| {
            ApiError::unavailable(format!("{MAX_STREAMS} live streams are open already"))
        })
    }

    /// Runs work that may wait for the disk, away from the threads that serve connections.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let state = self.clone();
        match tokio::task::spawn_blocking(move || work(&state)).await {
            Ok(result) => result,
            Err(error) => {
                tracing::error!(%error, "a request's work panicked");
                Err(ApiError::internal())
            }
        }
    }
}
