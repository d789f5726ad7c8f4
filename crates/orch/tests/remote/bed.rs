//! A repository whose staging suite runs over ssh, and the service that works it.

use std::path::{Path, PathBuf};

use orch_testkit::{Orch, Repository, Sshd, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// An agent that does what a stage asks for.
const AGENT: &str = r#"
set -eu
case $ORCH_STAGE in
development)
    echo "$ORCH_TASK attempt $ORCH_ATTEMPT" >> "said"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
esac
"#;

pub struct Bed {
    pub root: tempfile::TempDir,
    pub repository: Repository,
    pub orch: Orch,
}

impl Bed {
    /// A repository with this staging suite at that target.
    pub fn new(sshd: &Sshd, target: &str, suite: &str, further: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let settings = settings(target, suite, further);
        let files =
            [("agent.sh", AGENT), ("orch.toml", settings.as_str()), ("hello.txt", "hello\n")];
        let repository = Repository::make(root.path(), "hello", &files);
        let orch = Orch::new(PROGRAM, root.path())
            .with("ORCH_SSH_CONFIG", sshd.config().to_str().unwrap())
            .with("ORCH_SSH_KEEP_ALIVE", "1s")
            .with("ORCH_SSH_CONNECT_TIMEOUT", "5s");
        Self { root, repository, orch }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.orch = self.orch.with(name, value);
        self
    }

    pub fn begin(&self) {
        self.orch.ok(&self.repository.checkout, &["init"]);
    }

    pub fn submit(&self) {
        self.orch.ok(&self.repository.checkout, &["task", "add", "Say hello"]);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn why(&self) -> Value {
        self.orch.json(&["why", "HELLO-1", "--json"])
    }

    pub fn wait_for(&self, state: &str) {
        let mut last = Value::Null;
        let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            until(&format!("the task to be {state}"), || {
                last = self.why();
                (last["state"] == state).then_some(())
            });
        }));
        let log = || std::fs::read_to_string(self.path("serve.log")).unwrap_or_default();
        assert!(found.is_ok(), "not {state}: {last:#}\n{}", log());
    }

    pub fn retry(&self) {
        self.orch.ok(self.root.path(), &["task", "retry", "HELLO-1"]);
    }

    /// The kinds of what has happened so far.
    pub fn events(&self) -> Vec<String> {
        let told = self.orch.ok(self.root.path(), &["events", "--json"]);
        let kind = |line: &str| {
            let event: Value = serde_json::from_str(line).unwrap();
            event["kind"].as_str().unwrap_or_default().to_owned()
        };
        told.lines().map(kind).collect()
    }

    pub fn preflight(&self) -> Value {
        self.orch.json(&["queue", "--json"])["staging_runner"]["preflight"].clone()
    }
}

pub fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}

fn settings(target: &str, suite: &str, further: &str) -> String {
    format!(
        r#"
[repository]
name = "hello"
key_prefix = "HELLO"
[pipeline]
stages = ["development", "deploy-staging", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[budgets]
backoff_base = "50ms"
backoff_cap = "100ms"
infra = 2
[staging_runner]
command = '''{suite}'''
ssh_target = "{target}"
{further}
"#
    )
}

/// Work that shows how often it was started and ends when a file is there.
pub fn patient(root: &Path) -> String {
    format!(
        "echo x >>{0}/counter; echo ready; while [ ! -e {0}/go ]; do sleep 0.05; done; echo 'ok 1 - staged'",
        root.display()
    )
}
