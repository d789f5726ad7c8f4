//! A real S3 server on loopback, signatures and all, that can be told to fail.

use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// How the server fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Not at all.
    None,
    /// Every connection is closed at once.
    Down,
    /// Every answer is a 500.
    Error,
    /// No answer comes until the fault is over.
    Hang,
    /// Every connection is cut after the first few kilobytes of the request.
    Cut,
}

/// Bytes of a request that get through before [`Fault::Cut`] cuts.
const BEFORE_CUT: u64 = 4096;

/// An S3 server over a directory; ended with the value.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

#[derive(Debug)]
struct Shared {
    fault: AtomicU8,
    requests: AtomicU64,
}

impl S3Server {
    /// The access key that the server knows.
    pub const ACCESS_KEY: &str = "AKIATESTTESTTEST";
    /// Its secret.
    pub const SECRET_KEY: &str = "c2VjcmV0LW9mLXRoZS10ZXN0cw";
    /// The bucket that is there.
    pub const BUCKET: &str = "logs";

    /// Starts a server that keeps its objects under `root`, one bucket made.
    ///
    /// # Panics
    /// When no port or thread is free.
    pub fn start(root: &Path) -> Self {
        Self::start_failing(root, Fault::None)
    }

    /// The same, failing from the beginning.
    ///
    /// # Panics
    /// When no port or thread is free.
    pub fn start_failing(root: &Path, fault: Fault) -> Self {
        std::fs::create_dir_all(root.join(Self::BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
        builder.set_auth(SimpleAuth::from_single(Self::ACCESS_KEY, Self::SECRET_KEY));
        let service = builder.build();
        let listener = StdListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared =
            Arc::new(Shared { fault: AtomicU8::new(fault as u8), requests: AtomicU64::new(0) });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.spawn(accept(listener, service, Arc::clone(&shared)));
        Self { address, shared, runtime: Some(runtime) }
    }

    /// The server's URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Fails in this way from now on.
    pub fn fail(&self, fault: Fault) {
        self.shared.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// Requests that came so far, those included that were failed.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn fails(&self, fault: Fault) -> bool {
        self.fault.load(Ordering::SeqCst) == fault as u8
    }
}

async fn accept(listener: StdListener, service: S3Service, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        if shared.fails(Fault::Down) {
            shared.requests.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        tokio::spawn(serve(socket, service.clone(), Arc::clone(&shared)));
    }
}

async fn serve(socket: TcpStream, service: S3Service, shared: Arc<Shared>) {
    let limit = if shared.fails(Fault::Cut) { BEFORE_CUT } else { u64::MAX };
    let (read, write) = socket.into_split();
    let io = TokioIo::new(tokio::io::join(read.take(limit), write));
    let answer = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let (service, shared) = (service.clone(), Arc::clone(&shared));
        async move {
            shared.requests.fetch_add(1, Ordering::SeqCst);
            while shared.fails(Fault::Hang) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            if shared.fails(Fault::Error) {
                let mut answer = hyper::Response::new(s3s::Body::from(String::new()));
                *answer.status_mut() = hyper::StatusCode::INTERNAL_SERVER_ERROR;
                return Ok(answer);
            }
            hyper::service::Service::call(&service, request).await
        }
    });
    // One request a connection, so that a fault counts from the next request on. What a client
    // does to its connection is no fault of the server.
    drop(http1::Builder::new().keep_alive(false).serve_connection(io, answer).await);
}
