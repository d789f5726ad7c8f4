//! A repository whose suite meets whatever fault the test makes, and a receiver of alerts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use orch_testkit::{Orch, Repository, until};
use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

const AGENT: &str = r#"
set -eu
mkdir -p "$ORCH_ARTIFACT_DIR" said
echo "$ORCH_TASK attempt $ORCH_ATTEMPT" >> "said/$ORCH_TASK"
printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md"
"#;

const SETTINGS: &str = r#"
[repository]
name = "fault"
key_prefix = "FAULT"
[pipeline]
stages = ["development", "testing", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "sh @SUITE@"
[budgets]
backoff_base = "20ms"
backoff_cap = "50ms"
"#;

/// A bed; `suite.sh` beside the repository is what every task's suite runs.
pub struct Bed {
    pub root: tempfile::TempDir,
    pub repository: Repository,
    pub orch: Orch,
}

impl Bed {
    pub fn new(more: &str, set: impl FnOnce(Orch) -> Orch) -> Self {
        let root = tempfile::tempdir().unwrap();
        let suite = root.path().join("suite.sh");
        let settings = SETTINGS.replace("@SUITE@", &suite.display().to_string()) + more;
        let files = [("agent.sh", AGENT), ("orch.toml", settings.as_str())];
        let repository = Repository::make(root.path(), "fault", &files);
        let orch = set(Orch::new(PROGRAM, root.path()).with("ORCH_SERIAL_GATE_WIDTH", "4"));
        orch.ok(&repository.checkout, &["init"]);
        Self { root, repository, orch }
    }

    pub fn at(&self) -> &Path {
        self.root.path()
    }

    /// What every task's suite does from now on.
    pub fn suite(&self, script: &str) {
        let path = self.at().join("suite.sh");
        std::fs::write(path.with_extension("new"), script).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    }

    pub fn add(&self, title: &str) {
        self.orch.ok(&self.repository.checkout, &["task", "add", title]);
    }

    pub fn why(&self, key: &str) -> Value {
        self.orch.json(&["why", key, "--json"])
    }

    pub fn becomes(&self, key: &str, state: &str) -> Value {
        let _why = Witness { bed: self, key };
        until(&format!("{key} to be {state}"), || {
            let why = self.why(key);
            (why["state"] == state).then_some(why)
        })
    }

    pub fn queue(&self) -> Value {
        self.orch.json(&["queue", "--json"])
    }

    /// The task was worked once, tested without a retry, and landed.
    pub fn landed_at_once(&self, key: &str) {
        self.becomes(key, "done");
        let said = self.repository.on_main(&format!("said/{key}"));
        assert_eq!(said, format!("{key} attempt 1\n"), "it was worked again");
        let task = self.orch.json(&["task", "show", key, "--json"]);
        assert_eq!(task["progress"]["bounces"], 0, "{task}");
        assert_eq!(task["progress"]["attempts"], 0, "{task}");
    }
}

/// Says how things stand where a wait was in vain.
struct Witness<'a> {
    bed: &'a Bed,
    key: &'a str,
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}\n{}", self.bed.why(self.key), self.bed.queue());
        }
    }
}

/// What a receiver answers to a call; `None` keeps the line and says nothing.
pub type Answer = Box<dyn Fn(usize) -> Option<&'static str> + Send>;

/// A receiver of alerts on loopback that keeps what it was sent.
pub struct Receiver {
    pub url: String,
    letters: Arc<Mutex<Vec<Letter>>>,
}

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Letter {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Letter {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

impl Receiver {
    pub fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let letters = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&letters);
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for (call, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let Some(letter) = read(&stream) else { continue };
                kept.lock().unwrap().push(letter);
                match answer(call) {
                    Some(text) => drop(stream.write_all(text.as_bytes())),
                    None => silent.push(stream),
                }
            }
        });
        Self { url, letters }
    }

    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Letter> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Letter { path, headers, body: String::from_utf8(body).ok()? })
}
