//! A service under test: everything but the loops that would move tasks along.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use orch_api::{Client, NewTask, Problem, TaskSummary};
use orch_core::ids::{KeyPrefix, RepoName, RunId};
use orch_core::settings::{Sources, load_service};
use orch_engine::settings::SettingsSources;
use orch_engine::{Engine, EngineConfig, Home, Operator};
use orch_http::AppState;
use orch_store::{Claim, ClaimRequest, NewRepo};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// What a repository needs for a pipeline of its own.
const ORCH_TOML: &str = r#"
[pipeline]
stages = ["development", "review", "testing"]
[agents.default]
adapter = "command"
command = ["true"]
[test_runner]
command = "true"
"#;

pub struct Service {
    pub client: Client,
    pub operator: Operator,
    pub address: SocketAddr,
    pub dir: TempDir,
    server: Option<Server>,
}

struct Server {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Service {
    /// A service with the repository `hello`, whose tasks are `HELLO-1`, `HELLO-2`, …
    pub fn start() -> Self {
        let service = Self::bare();
        service.add_repo("hello", "HELLO");
        service
    }

    /// A service without any repository.
    pub fn bare() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let operator = Operator::new(engine(&dir));
        let (server, address) = serve(&operator, "127.0.0.1:0".parse().unwrap());
        let client = Client::new(&format!("http://{address}"), None);
        Self { client, operator, address, dir, server: Some(server) }
    }

    pub fn add_repo(&self, name: &str, prefix: &str) {
        let checkout = self.dir.path().join("checkouts").join(name);
        std::fs::create_dir_all(&checkout).unwrap();
        std::fs::write(checkout.join("orch.toml"), ORCH_TOML).unwrap();
        let repo = NewRepo {
            name: RepoName::new(name).unwrap(),
            key_prefix: KeyPrefix::new(prefix).unwrap(),
            remote: checkout.display().to_string(),
            default_branch: "main".to_owned(),
            checkout: Some(checkout.display().to_string()),
        };
        self.operator.store().register_repo(jiff::Timestamp::now(), &repo).unwrap();
    }

    /// The server goes down and comes up again at the same address, over the same records.
    pub fn restart(&mut self) {
        self.stop();
        let (server, address) = serve(&self.operator, self.address);
        assert_eq!(address, self.address);
        self.server = Some(server);
    }

    /// Stops the server and waits for its end.
    pub fn stop(&mut self) {
        let Some(server) = self.server.take() else { return };
        server.stop.send(()).ok();
        let deadline = Instant::now() + Duration::from_mins(1);
        while !server.thread.is_finished() {
            assert!(Instant::now() < deadline, "the server does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
        server.thread.join().unwrap();
    }

    pub fn submit(&self, title: &str) -> TaskSummary {
        let task = NewTask { title: title.to_owned(), ..NewTask::default() };
        self.client.submit(&task, None).unwrap().task
    }

    /// A worker claims the next job.
    pub fn claim(&self, number: u64) -> Claim {
        let now = jiff::Timestamp::now();
        let request = ClaimRequest {
            worker_id: self.operator.engine().worker.clone(),
            run_id: RunId::from_parts(now.as_millisecond(), number),
            lease: Duration::from_mins(10),
            labels: std::collections::BTreeSet::new(),
            max_running: 8,
            max_per_repo: None,
            max_per_agent: None,
        };
        self.operator.store().claim(now, &request).unwrap().expect("a job is there to be claimed")
    }

    /// Writes to a run's log, as its supervisor does.
    pub fn log(&self, run: &RunId, text: &str) {
        let dir = self.operator.engine().home.run(run);
        std::fs::create_dir_all(&dir).unwrap();
        let mut log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(dir.join("log.jsonl"))
            .unwrap();
        log.write_all(text.as_bytes()).unwrap();
    }

    /// Sends bytes and reads the answer to the connection's end.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut connection = TcpStream::connect(self.address).unwrap();
        connection.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        // The service may answer and close before it has read everything.
        drop(connection.write_all(request));
        let mut bytes = Vec::new();
        drop(connection.read_to_end(&mut bytes));
        Answer::parse(&bytes)
    }

    /// Sends one request with these further headers.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut text = vec![format!("{method} {path} HTTP/1.1"), "Connection: close".to_owned()];
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text.push("Host: localhost".to_owned());
        }
        text.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        if !body.is_empty() {
            text.push(format!("Content-Length: {}", body.len()));
        }
        let mut request = (text.join("\r\n") + "\r\n\r\n").into_bytes();
        request.extend_from_slice(body);
        self.raw(&request)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

fn engine(dir: &TempDir) -> Arc<Engine> {
    let env = BTreeMap::new();
    let sources = Sources { service: None, repository: None, env: &env };
    Engine::open(EngineConfig {
        home: Home::open(&dir.path().join("home")).unwrap(),
        settings: load_service(&sources).unwrap().value,
        sources: SettingsSources::default(),
        program: PathBuf::from("orch"),
        environment: BTreeMap::new(),
        host: "test-host".to_owned(),
        version: "0.0.0-test",
    })
    .unwrap()
}

fn serve(operator: &Operator, address: SocketAddr) -> (Server, SocketAddr) {
    let state = AppState::new(operator.clone()).with_revision(Some("cafe"));
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, told) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind(address).await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            let shutdown = async { stopped.await.unwrap_or(()) };
            orch_http::serve(listener, state, shutdown).await.unwrap();
        });
    });
    (Server { stop, thread }, told.recv().unwrap())
}

/// An answer as bytes on the socket.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The problem document that every error is.
    pub fn problem(&self) -> Problem {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{text}");
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.status, self.status);
        assert!(!problem.detail.is_empty() && problem.instance.is_some(), "{problem:?}");
        problem
    }
}

/// The problem that a call of the client met.
pub fn problem<T: std::fmt::Debug>(result: Result<T, orch_api::ClientError>) -> Problem {
    match result {
        Err(orch_api::ClientError::Problem(problem)) => *problem,
        other => panic!("no problem: {other:?}"),
    }
}
