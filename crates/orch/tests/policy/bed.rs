//! A repository, a service, and an agent that is a shell script.

use std::io::Write;
use std::process::Stdio;

use orch_testkit::{Orch, Repository, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// The settings before what a test adds.
pub const SETTINGS: &str = r#"
[repository]
name = "hello"
key_prefix = "HELLO"
[pipeline]
stages = ["development", "review", "merge"]
[budgets]
backoff_base = "50ms"
backoff_cap = "100ms"
"#;

/// What an agent does that does its work; `$1` says what it prints of its consumption.
pub const WORK: &str = r#"
mkdir -p "$ORCH_ARTIFACT_DIR"
case $ORCH_STAGE in
development)
    mkdir -p said
    echo "$ORCH_TASK" > "said/$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
testing)
    printf -- '---\nresult: %s\ncommit: %s\ncommand: "true"\nexit_code: 0\n---\n' \
        "${RESULT:-PASS}" "$(git rev-parse HEAD)" > "$ORCH_ARTIFACT_DIR/13-test-report.md" ;;
esac
"#;

pub struct Bed {
    pub root: tempfile::TempDir,
    pub repository: Repository,
    pub orch: Orch,
}

impl Bed {
    /// A repository with these settings beside the usual ones, and this agent.
    pub fn new(settings: &str, agent: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let settings = format!("{SETTINGS}{settings}");
        let files = [("agent.sh", agent), ("orch.toml", settings.as_str())];
        let repository = Repository::make(root.path(), "hello", &files);
        let orch = Orch::new(PROGRAM, root.path());
        Self { root, repository, orch }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.orch = self.orch.with(name, value);
        self
    }

    pub fn init(&self) {
        self.orch.ok(&self.repository.checkout, &["init"]);
    }

    pub fn add(&self, title: &str) {
        self.orch.ok(&self.repository.checkout, &["task", "add", title]);
    }

    pub fn ok(&self, args: &[&str]) -> String {
        self.orch.ok(self.root.path(), args)
    }

    pub fn json(&self, args: &[&str]) -> Value {
        self.orch.json(args)
    }

    pub fn why(&self, key: &str) -> Value {
        self.json(&["why", key, "--json"])
    }

    pub fn show(&self, key: &str) -> Value {
        self.json(&["task", "show", key, "--json"])
    }

    /// Waits until a task stands so.
    pub fn until(&self, key: &str, state: &str) {
        until(&format!("{key} to be {state}"), || (self.why(key)["state"] == state).then_some(()));
    }

    /// Answers from standard input.
    pub fn answer(&self, key: &str, text: &str) {
        let mut child = self
            .orch
            .command(self.root.path())
            .args(["task", "answer", key, "-"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    /// One call site of the report.
    pub fn site(&self, id: &str) -> Value {
        let report = self.json(&["llm", "report", "--json"]);
        let sites = report["call_sites"].as_array().unwrap();
        sites.iter().find(|site| site["id"] == id).unwrap().clone()
    }
}
