//! A repository whose agent is a script of the test's, confined by a profile.

use std::path::PathBuf;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

pub const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");
/// What confines; every test of escapes runs under each.
pub const PROFILES: [&str; 2] = ["bubblewrap", "landlock"];

/// What every agent begins with.
const HEAD: &str = r#"
set -u
root=$(cat root)
mkdir -p "$ORCH_ARTIFACT_DIR"
finish() { printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md"; exit 0; }
# try NAME COMMAND…: notes whether the command worked.
try() { name=$1; shift; if ( "$@" ) >/dev/null 2>&1; then echo "$name worked" >> results; else echo "$name failed" >> results; fi; }
"#;

pub struct Bed {
    pub root: tempfile::TempDir,
    pub repository: Repository,
    pub orch: Orch,
}

impl Bed {
    /// `settings` is appended to the `orch.toml`; `agent` and `test` are shell scripts.
    pub fn new(settings: &str, agent: &str, test: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let config = format!(
            r#"
[repository]
name = "box"
key_prefix = "BOX"
[pipeline]
stages = ["development", "testing", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "sh test.sh"
[budgets]
attempts = 1
backoff_base = "10ms"
backoff_cap = "20ms"
{settings}
"#
        );
        let agent = format!("{HEAD}{agent}\nfinish\n");
        let place = root.path().display().to_string();
        let files = [
            ("agent.sh", agent.as_str()),
            ("test.sh", test),
            ("orch.toml", &config),
            ("root", &place),
        ];
        let repository = Repository::make(root.path(), "box", &files);
        let orch = Orch::new(PROGRAM, root.path());
        orch.ok(&repository.checkout, &["init"]);
        Self { root, repository, orch }
    }

    /// Submits a task and gives its key and answer once it is done or held.
    pub fn play(&self, title: &str) -> (String, Value) {
        let key =
            self.orch.ok(&self.repository.checkout, &["task", "add", title]).trim().to_owned();
        let why = until(&format!("{title} to end"), || {
            let why = self.orch.json(&["why", &key, "--json"]);
            ["done", "held"].contains(&why["state"].as_str().unwrap_or_default()).then_some(why)
        });
        (key, why)
    }

    /// Everything that was printed and happened, for a failed assertion.
    pub fn told(&self, key: &str) -> String {
        let logs = self.orch.run(self.root.path(), &["task", "logs", key]);
        let events = self.orch.ok(self.root.path(), &["events", "--task", key, "-n", "100"]);
        format!(
            "{events}\n{}{}",
            String::from_utf8_lossy(&logs.stdout),
            String::from_utf8_lossy(&logs.stderr)
        )
    }

    pub fn mirror(&self) -> PathBuf {
        self.orch.home().join("mirrors/box.git")
    }

    /// The names that the agent noted as having worked.
    pub fn worked(&self) -> Vec<String> {
        let results = self.repository.on_main("results");
        let worked = results.lines().filter_map(|line| line.strip_suffix(" worked"));
        worked.map(ToOwned::to_owned).collect()
    }

    pub fn main_log(&self) -> String {
        git(&self.repository.origin, &["log", "--format=%s", "main"])
    }
}
