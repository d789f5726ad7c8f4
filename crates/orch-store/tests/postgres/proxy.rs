//! A network that drops: a proxy before the server that can cut off, and swallow an answer.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use orch_store::{Store, StoreOptions};
use orch_testkit::until;

use crate::Engine;
use crate::engine::{ONE, at, submission};

/// What the client sends to commit.
const COMMIT: &[u8] = b"COMMIT\0";

/// The proxy's switches.
#[derive(Default)]
struct Switches {
    /// Nobody gets through.
    cut: AtomicBool,
    /// The answers to this many commits are swallowed, and their connections cut.
    swallow: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Switches {
    fn cut_off(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
        if cut {
            for stream in self.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }
}

/// Starts a proxy before a port; it ends with the test's process.
fn proxy(to: u16) -> (u16, Arc<Switches>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let switches = Arc::new(Switches::default());
    let theirs = Arc::clone(&switches);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            if theirs.cut.load(Ordering::SeqCst) {
                continue;
            }
            let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
            let mut open = theirs.open.lock().unwrap();
            open.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
            drop(open);
            let deaf = Arc::new(AtomicBool::new(false));
            pump(client.try_clone().unwrap(), server.try_clone().unwrap(), &theirs, &deaf, true);
            pump(server, client, &theirs, &deaf, false);
        }
    });
    (port, switches)
}

/// Carries bytes one way; a commit whose answer is to be swallowed makes the way back deaf.
fn pump(
    mut from: TcpStream,
    mut to: TcpStream,
    switches: &Arc<Switches>,
    deaf: &Arc<AtomicBool>,
    outwards: bool,
) {
    let (switches, deaf) = (Arc::clone(switches), Arc::clone(deaf));
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            let sent = &buffer[..read];
            if outwards && sent.windows(COMMIT.len()).any(|part| part == COMMIT) {
                let left = switches.swallow.load(Ordering::SeqCst);
                if left > 0 {
                    switches.swallow.store(left - 1, Ordering::SeqCst);
                    deaf.store(true, Ordering::SeqCst);
                }
            }
            if !outwards && deaf.load(Ordering::SeqCst) {
                // The server has answered: the commit is done and nobody will hear of it.
                break;
            }
            if to.write_all(sent).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// A store that reaches the engine's database through a proxy.
fn behind_proxy(engine: &Engine) -> (Store, Arc<Switches>) {
    let url = engine.url.as_deref().unwrap();
    let port = orch_testkit::postgres::Cluster::shared().port();
    let (through, switches) = proxy(port);
    let url = url.replace(&format!(":{port}/"), &format!(":{through}/"));
    assert!(url.contains(&through.to_string()));
    (Store::open_url(&url, StoreOptions { gate: ONE }).unwrap(), switches)
}

/// The reply to a commit is lost: the operation counts once, and its caller is told so.
#[test]
fn a_lost_reply_to_a_commit_is_looked_up() {
    let engine = Engine::postgres(ONE);
    let (store, switches) = behind_proxy(&engine);
    for n in 1..=5 {
        switches.swallow.store(1, Ordering::SeqCst);
        let task = store.submit(at(1), &submission("hello", 0), None).unwrap().task;
        assert_eq!(task.key.to_string(), format!("HELLO-{n}"), "submitted once, not again");
        assert_eq!(switches.swallow.load(Ordering::SeqCst), 0, "a reply was swallowed");
    }
    assert_eq!(engine.store.snapshot().unwrap().tasks.len(), 5);
    assert_eq!(engine.violations(), []);
}

/// A node that is cut off is told so within its patience, and goes on when the network is back.
#[test]
fn a_cut_connection_is_an_error_that_passes() {
    let engine = Engine::postgres(ONE);
    let (store, switches) = behind_proxy(&engine);
    store.submit(at(1), &submission("hello", 0), None).unwrap();
    switches.cut_off(true);
    let error = store.submit(at(2), &submission("hello", 0), None).unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let error = store.ping().unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    engine.submit();
    switches.cut_off(false);
    until("the store to be connected again", || store.ping().ok());
    assert_eq!(store.snapshot().unwrap().tasks.len(), 2, "what failed was not stored");
    store.submit(at(3), &submission("hello", 0), None).unwrap();
    assert_eq!(engine.violations(), []);
}

/// Cut off for a moment, the operation waits it out and its caller sees nothing of it.
#[test]
fn a_short_cut_is_waited_out() {
    let engine = Engine::postgres(ONE);
    let (store, switches) = behind_proxy(&engine);
    store.ping().unwrap();
    for n in 0..5 {
        // Every idle connection dies; the next operations find that out one by one.
        switches.cut_off(true);
        switches.cut_off(false);
        store.submit(at(n), &submission("hello", 0), None).unwrap();
    }
    assert_eq!(engine.store.snapshot().unwrap().tasks.len(), 5);
}
