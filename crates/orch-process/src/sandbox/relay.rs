//! Within a network namespace of its own a run finds the proxy at a port of its loopback; every
//! connection to it goes on through a socket in the file system.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

/// Starts relaying and gives the port.
pub(super) fn start(socket: &Path) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let socket: PathBuf = socket.to_owned();
    thread::Builder::new().name("relay".into()).spawn(move || {
        for inner in listener.incoming().flatten() {
            let Ok(outer) = UnixStream::connect(&socket) else { continue };
            // A connection that can't be served is closed; the client tells.
            drop(thread::Builder::new().spawn(move || join(&inner, &outer)));
        }
    })?;
    Ok(port)
}

fn join(inner: &TcpStream, outer: &UnixStream) {
    thread::scope(|both| {
        both.spawn(|| {
            drop(io::copy(&mut &*inner, &mut &*outer));
            drop(outer.shutdown(Shutdown::Write));
        });
        drop(io::copy(&mut &*outer, &mut &*inner));
        drop(inner.shutdown(Shutdown::Write));
    });
}
