//! Who wrote what, heard across nodes: events become known to this node's subscribers once they
//! can be read.
//!
//! Two threads. The *listener* waits for notices of other nodes. The *teller* looks which events
//! can be read whenever somebody wrote, and once a second all the same: notices are only for speed,
//! the look is the truth. It also sends this node's notices, outside the transactions that wrote:
//! inside, every commit would wait for one lock of the whole server.

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use fallible_iterator::FallibleIterator as _;
use orch_core::ids::EventId;

use super::settled::Settled;
use super::writer::{Subscriber, Subscribers};
use crate::engine::postgres::{Connection, Server};
use crate::error::{Result, StoreError};

/// The channel that nodes notify each other on.
const CHANNEL: &str = "orch_events";
/// The longest wait between two looks; a part of it is random, so that nodes don't look at once.
const POLL: Duration = Duration::from_secs(1);
/// The shortest time between two notices of a node.
const DEBOUNCE: Duration = Duration::from_millis(20);
/// The longest wait for transactions before the last event, until it is looked for more.
const SETTLING: Duration = Duration::from_millis(250);
/// The wait after the server could not be asked.
const PATIENCE: Duration = Duration::from_millis(500);

/// What both threads and the writers share.
struct Shared {
    settled: Arc<Settled>,
    state: Mutex<State>,
    changed: Condvar,
    subscribers: Subscribers,
}

#[derive(Debug, Default)]
struct State {
    /// The last event that this node wrote.
    written: Option<EventId>,
    /// This node wrote and has not told the others.
    untold: bool,
    /// Another node wrote.
    heard: bool,
    stopping: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopping(&self) -> bool {
        self.lock().stopping
    }
}

/// The two threads; they end when it is dropped.
pub(super) struct Tail {
    shared: Arc<Shared>,
    teller: Option<JoinHandle<()>>,
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").finish_non_exhaustive()
    }
}

impl Tail {
    /// Starts both threads; they connect by themselves.
    pub(super) fn start(server: Server, settled: Arc<Settled>) -> Result<Self> {
        let shared = Arc::new(Shared {
            settled,
            state: Mutex::default(),
            changed: Condvar::new(),
            subscribers: Subscribers::default(),
        });
        let no_thread = |error| StoreError::Internal(format!("cannot start a thread: {error}"));
        let (theirs, their_server) = (Arc::clone(&shared), server.clone());
        // Not waited for at the end: it may be waiting for a notice.
        std::thread::Builder::new()
            .name("store-listener".to_owned())
            .spawn(move || with_connection(&theirs, &their_server, listen))
            .map_err(no_thread)?;
        let theirs = Arc::clone(&shared);
        let teller = std::thread::Builder::new()
            .name("store-teller".to_owned())
            .spawn(move || with_connection(&theirs, &server, tell))
            .map_err(no_thread)?;
        Ok(Self { shared, teller: Some(teller) })
    }

    pub(super) fn subscribe(&self, subscriber: Subscriber) {
        self.shared.subscribers.add(subscriber);
    }

    /// Up to where events may be read.
    pub(super) fn settled(&self) -> &Settled {
        &self.shared.settled
    }

    /// The last event that this node wrote; `None` before the first.
    pub(super) fn written(&self) -> Option<EventId> {
        self.shared.lock().written
    }

    /// This node has written events up to that one.
    pub(super) fn wrote(&self, event: EventId) {
        let mut state = self.shared.lock();
        state.written = state.written.max(Some(event));
        state.untold = true;
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.shared.lock().stopping = true;
        self.shared.changed.notify_all();
        let Some(thread) = self.teller.take() else { return };
        // The last handle may be dropped by a subscriber: a thread can't wait for itself.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            tracing::error!("the store's teller had panicked");
        }
    }
}

/// Keeps a thread's work going over lost connections, with patience that grows.
fn with_connection(
    shared: &Shared,
    server: &Server,
    work: fn(&Shared, &mut Connection) -> Result<()>,
) {
    let mut wait = PATIENCE;
    while !shared.stopping() {
        let ended = server.connect().and_then(|mut connection| {
            wait = PATIENCE;
            work(shared, &mut connection)
        });
        let Err(error) = ended else { return };
        tracing::warn!(%error, "lost the connection for events; connecting again");
        let pause = wait.mul_f64(0.5 + fastrand::f64() / 2.0);
        let awake = |state: &mut State| !state.stopping;
        drop(shared.changed.wait_timeout_while(shared.lock(), pause, awake));
        wait = (wait * 2).min(PATIENCE * 20);
    }
}

/// Waits for other nodes' notices.
fn listen(shared: &Shared, connection: &mut Connection) -> Result<()> {
    connection.batch(&format!("LISTEN {CHANNEL}"))?;
    // Whatever was said meanwhile went by.
    shared.lock().heard = true;
    shared.changed.notify_all();
    while !shared.stopping() {
        let client = connection.client();
        let notice = client.notifications().timeout_iter(POLL).next();
        let notice = notice.map_err(crate::engine::postgres::failed("listening"))?;
        if notice.is_some() {
            shared.lock().heard = true;
            shared.changed.notify_all();
        }
        if connection.client().is_closed() {
            let source = Arc::new(std::io::Error::other("the connection was closed"));
            return Err(StoreError::Engine { doing: "listening", transient: true, source });
        }
    }
    Ok(())
}

/// Tells this node's subscribers what can be read, and the other nodes that this one wrote.
fn tell(shared: &Shared, connection: &mut Connection) -> Result<()> {
    let mut told = None;
    loop {
        let untold = wait(shared);
        if shared.stopping() {
            return Ok(());
        }
        if untold {
            let notify = format!("NOTIFY {CHANNEL}");
            connection.batch(&notify).inspect_err(|_| shared.lock().untold = true)?;
        }
        let (readable, whole) = shared.settled.raise(connection, SETTLING)?;
        if told.is_none_or(|told| told < readable) {
            // What was there before the first look is nobody's news.
            if told.is_some() || untold {
                shared.subscribers.call(readable);
            }
            told = Some(readable);
        }
        // A short rest: whoever writes meanwhile shares the next notice.
        let awake = |state: &mut State| !state.stopping;
        let state = shared.changed.wait_timeout_while(shared.lock(), DEBOUNCE, awake);
        if !whole {
            state.unwrap_or_else(PoisonError::into_inner).0.heard = true;
        }
    }
}

/// Sleeps until somebody wrote or it is time to look; returns whether the others are to be told.
fn wait(shared: &Shared) -> bool {
    let limit = POLL.mul_f64(0.75 + fastrand::f64() / 2.0);
    let asleep = |state: &mut State| !(state.stopping || state.untold || state.heard);
    let waited = shared.changed.wait_timeout_while(shared.lock(), limit, asleep);
    let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
    state.heard = false;
    std::mem::take(&mut state.untold)
}
