//! The way out for a run that may reach some hosts only: a small HTTP proxy that knows `CONNECT`
//! and requests with a whole address, and refuses all hosts that are not allowed.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::HostPattern;
use super::hosts::is_private;

/// The longest head of a request, in bytes.
const MAX_HEAD: u64 = 64 * 1024;
/// How long a connection to a host may take.
const CONNECT: Duration = Duration::from_secs(20);

/// The proxy.
#[derive(Debug, Clone)]
pub(super) struct Egress {
    allowed: Arc<Vec<HostPattern>>,
}

/// Where a request wants to go.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    host: String,
    port: u16,
    /// What is sent on in place of the head that was read; `None` for a tunnel.
    head: Option<String>,
}

/// What a program needs to know to go through the proxy.
pub(super) fn proxy_environment(port: u16) -> Vec<(&'static str, OsString)> {
    let url = format!("http://127.0.0.1:{port}");
    let names = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"];
    let mut all: Vec<_> = names.map(|name| (name, OsString::from(&url))).into();
    all.extend(["no_proxy", "NO_PROXY"].map(|name| (name, OsString::new())));
    // Node's own fetch looks at the names above only where it is told to.
    all.push(("NODE_USE_ENV_PROXY", "1".into()));
    all
}

impl Egress {
    pub(super) fn new(allowed: Vec<HostPattern>) -> Self {
        Self { allowed: Arc::new(allowed) }
    }

    /// Listens on a socket in the file system.
    pub(super) fn serve_unix(self, socket: &Path) -> io::Result<()> {
        let _ = std::fs::remove_file(socket);
        let listener = UnixListener::bind(socket)?;
        thread::Builder::new().name("egress".into()).spawn(move || {
            for client in listener.incoming().flatten() {
                let close = |client: &UnixStream| drop(client.shutdown(Shutdown::Write));
                self.spawn(client, close);
            }
        })?;
        Ok(())
    }

    /// Listens on a port of this machine and gives it.
    pub(super) fn serve_tcp(self) -> io::Result<u16> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        thread::Builder::new().name("egress".into()).spawn(move || {
            for client in listener.incoming().flatten() {
                let close = |client: &TcpStream| drop(client.shutdown(Shutdown::Write));
                self.spawn(client, close);
            }
        })?;
        Ok(port)
    }

    fn spawn<S>(&self, client: S, close: impl Fn(&S) + Send + 'static)
    where
        S: Send + Sync + 'static,
        for<'a> &'a S: Read + Write,
    {
        let egress = self.clone();
        // A connection that can't be served is closed; the client tells.
        drop(thread::Builder::new().spawn(move || drop(egress.serve(&client, close))));
    }

    fn serve<S>(&self, client: &S, close: impl Fn(&S)) -> io::Result<()>
    where
        S: Sync,
        for<'a> &'a S: Read + Write,
    {
        let mut reader = BufReader::new(client);
        let mut answer = client;
        let target = match read_head(&mut reader)?.as_deref().map(parse) {
            Some(Some(target)) => target,
            Some(None) => return refuse(&mut answer, "400 Bad Request", "no request for a proxy"),
            None => return Ok(()),
        };
        let host = match self.connect(&target) {
            Ok(host) => host,
            Err(refused) => {
                // The run's log has to say what was refused: it is why the agent fails.
                eprintln!("sandbox: {refused}");
                return refuse(&mut answer, "403 Forbidden", &refused);
            }
        };
        match &target.head {
            Some(head) => (&host).write_all(head.as_bytes())?,
            None => answer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        }
        thread::scope(|both| {
            both.spawn(|| {
                drop(io::copy(&mut reader, &mut &host));
                drop(host.shutdown(Shutdown::Write));
            });
            drop(io::copy(&mut &host, &mut answer));
            close(client);
        });
        Ok(())
    }

    fn connect(&self, target: &Target) -> Result<TcpStream, String> {
        let Target { host, port, .. } = target;
        let allowed = self.allowed.iter().find(|pattern| pattern.matches(host, *port));
        let Some(pattern) = allowed else {
            return Err(format!("{host}:{port} is not among sandbox.allow_hosts"));
        };
        let found = (host.as_str(), *port).to_socket_addrs();
        let found = found.map_err(|error| format!("{host}: {error}"))?;
        let fit = |address: &SocketAddr| pattern.is_local() || !is_private(&address.ip());
        let mut last = format!("{host} leads to this machine or its own network");
        for address in found.filter(fit) {
            match TcpStream::connect_timeout(&address, CONNECT) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = format!("{host}:{port}: {error}"),
            }
        }
        Err(last)
    }
}

fn refuse(answer: &mut impl Write, status: &str, why: &str) -> io::Result<()> {
    let length = why.len() + 1;
    write!(
        answer,
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{why}\n"
    )
}

/// The head of a request, its empty line included; `None` where the client said nothing.
fn read_head(reader: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    let mut limited = reader.take(MAX_HEAD);
    loop {
        let before = head.len();
        if limited.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
        if matches!(&head[before..], b"\r\n" | b"\n") {
            return Ok(Some(String::from_utf8_lossy(&head).into_owned()));
        }
    }
}

fn parse(head: &str) -> Option<Target> {
    let (line, rest) = head.split_once('\n')?;
    let mut words = line.trim_end().split(' ');
    let (method, address, version) = (words.next()?, words.next()?, words.next()?);
    if method == "CONNECT" {
        let (host, port) = authority(address, None)?;
        return Some(Target { host, port, head: None });
    }
    let (place, path) = address
        .strip_prefix("http://")
        .map(|address| address.find('/').map_or((address, "/"), |slash| address.split_at(slash)))?;
    let (host, port) = authority(place, Some(80))?;
    // One request a connection: the next one might name another host.
    let kept = rest.lines().filter(|line| {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        !line.is_empty() && !matches!(&*name, "connection" | "proxy-connection" | "keep-alive")
    });
    let kept: String = kept.flat_map(|line| [line, "\r\n"]).collect();
    let head = format!("{method} {path} {version}\r\n{kept}Connection: close\r\n\r\n");
    Some(Target { host, port, head: Some(head) })
}

fn authority(text: &str, port: Option<u16>) -> Option<(String, u16)> {
    if text.contains('@') {
        return None;
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, port?),
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_odd_ones_are_not() {
        let tunnel = parse("CONNECT api.example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(tunnel, Target { host: "api.example.com".into(), port: 443, head: None });
        let plain = parse(
            "GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nProxy-Connection: z\r\n\r\n",
        );
        let plain = plain.unwrap();
        assert_eq!((plain.host.as_str(), plain.port), ("a.example", 80));
        let head = plain.head.unwrap();
        assert_eq!(head, "GET /x?y HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
        for odd in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT host HTTP/1.1\r\n\r\n",
            "CONNECT a@b:443 HTTP/1.1\r\n\r\n",
            "GET https://a/ HTTP/1.1\r\n\r\n",
            "CONNECT :443 HTTP/1.1\r\n\r\n",
            "CONNECT a:99999 HTTP/1.1\r\n\r\n",
            "\n\n",
            "",
        ] {
            assert_eq!(parse(odd), None, "{odd:?}");
        }
    }

    /// A server that answers each connection with its name.
    fn host(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut seen = BufReader::new(stream.try_clone().unwrap());
                drop(read_head(&mut seen));
                drop(write!(stream, "HTTP/1.0 200 OK\r\n\r\n{answer}"));
            }
        });
        port
    }

    fn ask(proxy: u16, request: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        all
    }

    #[test]
    fn allowed_hosts_are_reached_and_no_others() {
        let (open, shut) = (host("open"), host("shut"));
        let allowed = vec![format!("localhost:{open}").parse().unwrap()];
        let proxy = Egress::new(allowed).serve_tcp().unwrap();
        let get = |port: u16| format!("GET http://localhost:{port}/ HTTP/1.1\r\n\r\n");
        assert!(ask(proxy, &get(open)).ends_with("open"));
        let refused = ask(proxy, &get(shut));
        assert!(
            refused.starts_with("HTTP/1.1 403") && refused.contains("allow_hosts"),
            "{refused}"
        );
        let tunnel = format!("CONNECT localhost:{open} HTTP/1.1\r\n\r\nGET / HTTP/1.0\r\n\r\n");
        let answer = ask(proxy, &tunnel);
        assert!(answer.contains("established") && answer.ends_with("open"), "{answer}");
        assert!(ask(proxy, "hello\r\n\r\n").starts_with("HTTP/1.1 400"));
    }

    #[test]
    fn a_public_name_that_leads_here_is_refused() {
        let open = host("open");
        let allowed: Vec<HostPattern> = vec![format!("*.localhost:{open}").parse().unwrap()];
        let egress = Egress::new(allowed);
        let target = Target { host: "a.localhost".into(), port: open, head: None };
        let refused = egress.connect(&target).unwrap_err();
        assert!(refused.contains("this machine") || refused.contains("lookup"), "{refused}");
    }
}
