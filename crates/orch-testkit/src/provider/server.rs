//! The server: routes, record, replies.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::answer::answer;
use super::dialect::{Dialect, Route};
use super::fault;
use super::record::{Record, Recorded};
use super::reply::{Body, Closed, Reply};
use super::scenario::Scenario;

/// The largest request that is read, in bytes.
const MAX_REQUEST: usize = 32 * 1024 * 1024;

/// A provider; ended with the value.
#[derive(Debug)]
pub struct FakeProvider {
    address: SocketAddr,
    record: Arc<Record>,
    runtime: Option<Runtime>,
}

impl FakeProvider {
    /// Starts a provider on a free port of loopback.
    ///
    /// # Panics
    /// When no port or thread is free.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// The same on this port.
    ///
    /// # Panics
    /// When the port or no thread is free.
    pub fn start_on(port: u16) -> Self {
        let listener = StdListener::bind(("127.0.0.1", port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let record = Arc::new(Record::new());
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.spawn(accept(listener, Arc::clone(&record)));
        Self { address, record, runtime: Some(runtime) }
    }

    /// Its address, without a scenario.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The base URL of a scenario, such as `429ra:2`, and a key to find its requests by. Programs
    /// of the OpenAI dialects want `/v1` after it.
    ///
    /// # Panics
    /// When there is no such scenario.
    pub fn base_url(&self, scenario: &str, key: &str) -> String {
        scenario.parse::<Scenario>().unwrap_or_else(|error| panic!("{error}"));
        format!("http://{}/s/{scenario}/k/{key}", self.address)
    }

    /// How often the model was asked under this key.
    pub fn requests(&self, key: &str) -> usize {
        self.record.count(key)
    }

    /// The requests under this key, in order: the first few hundred.
    pub fn recorded(&self, key: &str) -> Vec<Recorded> {
        self.record.kept(key)
    }

    /// Since when nobody has asked anything.
    pub fn idle(&self) -> Duration {
        self.record.idle()
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: StdListener, record: Arc<Record>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        tokio::spawn(serve(socket, Arc::clone(&record)));
    }
}

async fn serve(socket: TcpStream, record: Arc<Record>) {
    let answer = service_fn(move |request| handle(request, Arc::clone(&record)));
    // What a client does to its connection is no fault of the server.
    drop(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(socket), answer)
            .await,
    );
}

async fn handle(request: Request<Incoming>, record: Arc<Record>) -> Result<Response<Body>, Closed> {
    let path = request.uri().path().to_owned();
    let headers = headers(&request);
    let body = Limited::new(request.into_body(), MAX_REQUEST).collect().await;
    let body = body.map_err(|_| Closed)?.to_bytes();
    reply(&path, headers, &body, &record).response().await
}

fn headers(request: &Request<Incoming>) -> BTreeMap<String, String> {
    let text =
        |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    request.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn reply(path: &str, headers: BTreeMap<String, String>, body: &Bytes, record: &Record) -> Reply {
    if let Some(key) = path.strip_prefix("/requests/") {
        return Reply::json(200, &record.report(key));
    }
    let (scenario, key, rest) = match base(path) {
        Ok(base) => base,
        Err(error) => return Reply::json(404, &json!({"error": {"message": error}})),
    };
    let route = Route::of(rest);
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let generates = matches!(route, Some(Route::Generate(_)));
    let request = Recorded { path: rest.to_owned(), headers, body: body.clone() };
    let before = record.add(key, request, generates);
    match route {
        Some(Route::Generate(dialect)) => generate(dialect, rest, &body, scenario.now(before)),
        Some(Route::Plain(document)) => Reply::json(200, &document),
        None => {
            let error = format!("the fake provider has no {rest}");
            Reply::json(404, &json!({"error": {"message": error}}))
        }
    }
}

/// Scenario, key and the rest of a path; without a base it is a good day.
fn base(path: &str) -> Result<(Scenario, &str, &str), String> {
    let Some(named) = path.strip_prefix("/s/") else { return Ok((Scenario::Ok, "none", path)) };
    let parts = named.split_once("/k/").and_then(|(scenario, rest)| {
        let (key, _) = rest.split_once('/')?;
        Some((scenario, key, &rest[key.len()..]))
    });
    let (scenario, key, rest) =
        parts.ok_or_else(|| format!("{path} is not /s/SCENARIO/k/KEY/…"))?;
    // Some clients escape what is between the slashes.
    let scenario = scenario.replace("%3A", ":").replace("%3a", ":");
    Ok((scenario.parse().map_err(|error| format!("{error}"))?, key, rest))
}

fn generate(dialect: Dialect, path: &str, body: &Value, scenario: Scenario) -> Reply {
    if let Some(reply) = fault::instead(scenario, dialect) {
        return reply;
    }
    let conversation = dialect.read(path, body);
    let (answer, scenario) = match answer(&conversation, scenario) {
        Ok(answered) => answered,
        // A script's fault is loud: no agent takes a 400 for a success.
        Err(error) => return Reply::json(400, &dialect.error(400, &error)),
    };
    if let Some(reply) = fault::instead(scenario, dialect) {
        return reply;
    }
    let number = fresh();
    if conversation.streams {
        fault::stream(scenario, dialect.events(&answer, &conversation, number))
    } else {
        fault::whole(scenario, &dialect.document(&answer, &conversation, number))
    }
}

/// A number for the ids of one answer.
fn fresh() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
