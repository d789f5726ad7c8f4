//! A network that drops: a proxy before a server that can cut everybody off, and swallow the answer
//! to a commit of PostgreSQL.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the client sends to commit.
const COMMIT: &[u8] = b"COMMIT\0";

/// A proxy on a port of its own; it ends with the test's process.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    switches: Arc<Switches>,
}

#[derive(Debug, Default)]
struct Switches {
    /// Nobody gets through.
    cut: AtomicBool,
    /// The answers to this many commits are swallowed, and their connections cut.
    swallow: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Proxy {
    /// Starts a proxy before a port of loopback.
    ///
    /// # Panics
    /// When no port is free.
    pub fn before(to: u16) -> Self {
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
                let both = [client.try_clone().unwrap(), server.try_clone().unwrap()];
                theirs.open.lock().unwrap().extend(both);
                let deaf = Arc::new(AtomicBool::new(false));
                let (ours, their) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                pump(ours, their, &theirs, &deaf, true);
                pump(server, client, &theirs, &deaf, false);
            }
        });
        Self { port, switches }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts every connection and lets nobody through, or lets them through again.
    ///
    /// # Panics
    /// When a thread of the proxy had panicked.
    pub fn cut_off(&self, cut: bool) {
        self.switches.cut.store(cut, Ordering::SeqCst);
        if cut {
            for stream in self.switches.open.lock().unwrap().drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    /// Swallows the answers to the next commits, and cuts their connections.
    pub fn swallow_commits(&self, number: usize) {
        self.switches.swallow.store(number, Ordering::SeqCst);
    }

    /// How many answers are still to be swallowed.
    pub fn left_to_swallow(&self) -> usize {
        self.switches.swallow.load(Ordering::SeqCst)
    }
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
