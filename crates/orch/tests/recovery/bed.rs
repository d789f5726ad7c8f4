//! Two repositories and one place for a run, and a way behind the program's back.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use orch_testkit::{Orch, Repository, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// In development it works for as long as a file named `wait` is there, and is never silent.
const AGENT: &str = r#"
set -eu
mkdir -p "$ORCH_ARTIFACT_DIR"
while [ "$ORCH_STAGE" = development ] && [ -e "@WAIT@" ]; do echo "at work"; sleep 0.05; done
case $ORCH_STAGE in
development)
    echo "$ORCH_TASK" > "line-$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
"#;

const SETTINGS: &str = r#"
[repository]
name = "@NAME@"
key_prefix = "@KEY@"
[pipeline]
stages = ["development", "review", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
stall = "5s"
[budgets]
backoff_base = "10ms"
backoff_cap = "20ms"
"#;

pub struct Bed {
    root: tempfile::TempDir,
    pub orch: Orch,
    pub repositories: Vec<Repository>,
}

impl Bed {
    /// Two repositories, registered, with a frozen gate each, so that nothing begins too early.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let agent = AGENT.replace("@WAIT@", &root.path().join("wait").display().to_string());
        let repositories = ["left", "right"]
            .map(|name| {
                let own = SETTINGS.replace("@NAME@", name).replace("@KEY@", &name.to_uppercase());
                Repository::make(root.path(), name, &[("agent.sh", &agent), ("orch.toml", &own)])
            })
            .into();
        let orch = Orch::new(PROGRAM, root.path()).with("ORCH_MAX_CONCURRENCY", "1");
        let orch = settings.iter().fold(orch, |orch, (name, value)| orch.with(name, value));
        let bed = Self { root, orch, repositories };
        for repository in &bed.repositories {
            bed.orch.ok(&repository.checkout, &["init"]);
        }
        bed
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// While it is there, agents go on working.
    pub fn wait_file(&self) -> PathBuf {
        self.root().join("wait")
    }

    pub fn hold_agents(&self) {
        std::fs::write(self.wait_file(), "").unwrap();
    }

    pub fn let_agents_go(&self) {
        std::fs::remove_file(self.wait_file()).unwrap();
    }

    /// Submits a task to each repository; gives the keys.
    pub fn submit(&self) -> Vec<String> {
        let add = |repository: &Repository| {
            self.orch.ok(&repository.checkout, &["task", "add", "A line"]).trim().to_owned()
        };
        self.repositories.iter().map(add).collect()
    }

    /// Waits until these tasks are done.
    pub fn all_done(&self, keys: &[String]) {
        until(&format!("{keys:?} to be done"), || {
            keys.iter().all(|key| self.why(key)["state"] == "done").then_some(())
        });
    }

    /// Where a task stands; nothing while its row can't be read.
    pub fn why(&self, key: &str) -> Value {
        let output = self.orch.run(self.root(), &["why", key, "--json"]);
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    /// The run that a supervisor works on: its id, the supervisor's pid, the job's crashes. Waits
    /// for one other than `before`.
    pub fn working(&self, before: &str) -> (String, u32, i64) {
        until("a supervisor at work", || {
            let found: (String, u32, i64) = self
                .database()
                .query_row(
                    "SELECT run_id, pid, crashes FROM jobs WHERE status = 'running' \
                     AND pid IS NOT NULL",
                    [],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .ok()?;
            (found.0 != before && self.started(&found.0)).then_some(found)
        })
    }

    fn started(&self, run: &str) -> bool {
        self.orch.home().join("runs").join(run).join("child.json").exists()
    }

    pub fn database(&self) -> rusqlite::Connection {
        let database = rusqlite::Connection::open(self.orch.home().join("orch.db")).unwrap();
        database.busy_timeout(Duration::from_secs(30)).unwrap();
        database
    }

    /// Runs a statement with every check off.
    pub fn forge(&self, sql: &str, params: impl rusqlite::Params) {
        let database = self.database();
        database
            .execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON")
            .unwrap();
        assert!(database.execute(sql, params).unwrap() > 0, "{sql} forged nothing");
    }
}

/// A test that fails leaves no supervisor standing still for ever.
impl Drop for Bed {
    fn drop(&mut self) {
        let Ok(runs) = std::fs::read_dir(self.orch.home().join("runs")) else { return };
        for run in runs.flatten() {
            let named = std::fs::read(run.path().join("supervisor.json")).unwrap_or_default();
            let named: Value = serde_json::from_slice(&named).unwrap_or_default();
            if let Some(pid) = named["pid"].as_u64() {
                let _ = Command::new("kill")
                    .args(["-CONT", &pid.to_string()])
                    .stderr(Stdio::null())
                    .status();
            }
        }
    }
}

/// A live process that has nothing to do with any run; ended with the value.
pub struct Stranger(Child);

impl Stranger {
    pub fn new() -> Self {
        Self(Command::new("sleep").arg("600").stdin(Stdio::null()).spawn().unwrap())
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    pub fn is_alive(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends a signal, such as `-KILL`.
pub fn signal(which: &str, pid: u32) {
    let sent = Command::new("kill").args([which, &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill {which} {pid}");
}
