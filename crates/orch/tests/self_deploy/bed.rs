//! A copy of the source tree as a repository, another one with a patient agent, and a launcher.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// Each revision with a small real change, by the number of its task.
const DEVELOPER: &str = r#"
set -eu
serve=crates/orch/src/commands/serve.rs
steps=crates/orch-store/src/engine/migrate.rs
case $ORCH_TASK in
SELF-1) sed -i 's/ serves at {at}/ serves one at {at}/' "$serve" ;;
SELF-2) sed -i 's/^pub fn run(args: &Args, env: &Env).*$/&\n    assert!(args.no_worker, "broken on purpose");/' "$serve" ;;
SELF-3)
    sed -i '/broken on purpose/d' "$serve"
    broken='Migration { version: 1_000, name: "broken", compatible_from: 1_000, postgres: "", portable: "", sqlite: "CREATE TABLE half (n INTEGER CHECK (n = 0)); INSERT INTO half SELECT count(*) FROM pragma_database_list WHERE file LIKE '"'%/orch.db'"'" },'
    sed -i "0,/^\];\$/s|^\];\$|    $broken\n];|" "$steps" ;;
SELF-4)
    sed -i '/name: "broken"/d' "$steps"
    sed -i 's/ serves one at {at}/ serves four at {at}/' "$serve" ;;
esac
git diff --quiet && { echo "nothing was changed" >&2; exit 1; }
mkdir -p "$ORCH_ARTIFACT_DIR"
printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md"
"#;

/// Writes a numbered line again and again, until it is let go.
const PATIENT: &str = r#"
set -eu
n=0
while [ ! -e '@ROOT@/go' ]; do
    n=$((n + 1))
    echo "$$ $ORCH_RUN_ID $n" >> '@ROOT@/ledger'
    sleep 0.05
done
echo done > work.txt
mkdir -p "$ORCH_ARTIFACT_DIR"
printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md"
"#;

const SETTINGS: &str = r#"
[repository]
name = "@NAME@"
key_prefix = "@KEY@"
[pipeline]
stages = ["development", "deploy"]
[agents.default]
adapter = "command"
command = ["sh", "@ROOT@/@NAME@.sh"]
timeout = "2h"
stall = "2h"
"#;

/// The build has a target folder of its own: the program under test is not to be overwritten. What
/// was built of other people's crates is taken over.
const DEPLOY: &str = r#"
[deploy]
kind = "self"
build = "@CARGO@ CARGO_INCREMENTAL=1 cargo build --locked -p orch"
program = "@ROOT@/target/debug/orch"
timeout = "1h"
health_timeout = "1m"
health_within = "5m"
"#;

/// A build on a busy machine, with room to spare.
const PATIENCE: Duration = Duration::from_mins(40);

pub struct Bed {
    root: tempfile::TempDir,
    pub orch: Orch,
    own: Repository,
    other: Repository,
}

/// What the patient agent wrote, which is one process, one run, and numbers without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    pub pid: String,
    pub run: String,
    pub lines: usize,
}

pub struct Launcher(Child);

impl Bed {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        take_over_dependencies(&path("target"));
        let own = source_tree(root.path());
        let other = Repository::make(root.path(), "other", &[("README", "other\n")]);
        let shown = root.path().display().to_string();
        let home = std::env::var("HOME").unwrap_or_default();
        let dir = |name: &str, usual: &str| {
            let path = std::env::var(name).unwrap_or_else(|_| format!("{home}/{usual}"));
            format!("{name}='{path}'")
        };
        let (cargo, rustup) = (dir("CARGO_HOME", ".cargo"), dir("RUSTUP_HOME", ".rustup"));
        let cargo = format!("{cargo} {rustup} CARGO_TARGET_DIR='{shown}/target'");
        for (repository, name, agent, deploy) in
            [(&own, "self", DEVELOPER, DEPLOY), (&other, "other", PATIENT, "")]
        {
            let text = format!("{SETTINGS}{deploy}")
                .replace("@ROOT@", &shown)
                .replace("@CARGO@", &cargo)
                .replace("@NAME@", name)
                .replace("@KEY@", &name.to_uppercase());
            repository.write(&[("orch.toml", &text)]);
            fs::write(path(&format!("{name}.sh")), agent.replace("@ROOT@", &shown)).unwrap();
        }
        let prefix = path("prefix").display().to_string();
        let orch =
            |program: &Path| Orch::new(program, root.path()).with("ORCH_LAUNCHER_PREFIX", &prefix);
        let install = ["self", "install", PROGRAM, "--name", "base"];
        orch(Path::new(PROGRAM)).ok(root.path(), &install);
        let orch = orch(&path("prefix/current/orch"));
        for repository in [&own, &other] {
            orch.ok(&repository.checkout, &["init"]);
        }
        Self { root, orch, own, other }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn launch(&self) -> Launcher {
        let log = fs::File::create(self.path("launcher.log")).unwrap();
        let child = self
            .orch
            .command(self.root.path())
            .arg("launcher")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        until("the service to answer", || {
            self.orch.run(self.root.path(), &["status"]).status.success().then_some(())
        });
        Launcher(child)
    }

    /// Gives the patient agent its task and waits until it works; gives the key.
    pub fn work(&self) -> String {
        let key = self.orch.ok(&self.other.checkout, &["task", "add", "Be patient"]);
        until("the agent to begin", || self.path("ledger").exists().then_some(()));
        key.trim().to_owned()
    }

    /// What the agent wrote so far.
    pub fn ledger(&self) -> Ledger {
        let text = fs::read_to_string(self.path("ledger")).unwrap();
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines: Vec<Vec<&str>> = whole.lines().map(|l| l.split(' ').collect()).collect();
        let first = lines.first().expect("the agent has begun").clone();
        for (line, number) in lines.iter().zip(1..) {
            assert_eq!(line[..2], first[..2], "another process or run");
            assert_eq!(line[2], i32::to_string(&number), "a gap");
        }
        assert!(Path::new(&format!("/proc/{}", first[0])).exists(), "the agent is gone");
        Ledger { pid: first[0].to_owned(), run: first[1].to_owned(), lines: lines.len() }
    }

    pub fn let_go(&self) {
        fs::write(self.path("go"), "").unwrap();
    }

    /// Submits the next revision and waits for its end; gives the revision that landed.
    pub fn deploy(&self, key: &str, end: &str) -> String {
        let added = self.orch.ok(&self.own.checkout, &["task", "add", "The next revision"]);
        assert_eq!(added.trim(), key);
        self.settled(key, end);
        let subjects = git(&self.own.origin, &["log", "-1", "--format=%H", "main"]);
        subjects.trim().to_owned()
    }

    /// Waits until a task is done or held, and expects which.
    pub fn settled(&self, key: &str, expected: &str) {
        let deadline = Instant::now() + PATIENCE;
        let state = loop {
            let output = self.orch.run(self.root.path(), &["why", key, "--json"]);
            let why: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            match why["state"].as_str() {
                Some(state @ ("done" | "held")) => break state.to_owned(),
                _ if Instant::now() > deadline => panic!("{key} does not end: {why}"),
                _ => thread::sleep(Duration::from_millis(100)),
            }
        };
        assert_eq!(state, expected, "{key}: {}\n{}", self.why(key), self.log());
    }

    pub fn why(&self, key: &str) -> String {
        let output = self.orch.run(self.root.path(), &["why", key]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The launcher's log and the deploys', for whoever looks at a failure.
    fn log(&self) -> String {
        fs::read_to_string(self.path("launcher.log")).unwrap_or_default()
    }

    /// `deploy_status` of a task, as pushed.
    pub fn status(&self, key: &str) -> String {
        let path = format!("orch/{key}:docs/work-items/{key}/16-deploy-log.md");
        let output =
            Command::new("git").arg("-C").arg(&self.own.origin).args(["show", &path]).output();
        let log = String::from_utf8_lossy(&output.unwrap().stdout).into_owned();
        let line = log.lines().find_map(|line| line.strip_prefix("deploy_status: "));
        line.unwrap_or("none").to_owned()
    }

    /// The revision that serves, by the service's own word.
    pub fn serves(&self) -> String {
        let status = self.orch.json(&["status", "--json"]);
        status["revision"].as_str().unwrap_or("unknown").to_owned()
    }

    pub fn schema(&self) -> i64 {
        let status = self.orch.json(&["status", "--json"]);
        status["database"]["schema_version"].as_i64().unwrap()
    }

    pub fn is_bad(&self, revision: &str) -> bool {
        let status = self.orch.json(&["self", "status", "--json"]);
        let versions = status["versions"].as_array().unwrap().iter();
        versions.filter(|v| v["version"] == revision).any(|v| v["bad"]["reason"].is_string())
    }

    /// The run that works a task now.
    pub fn running(&self, key: &str) -> String {
        let queue = self.orch.json(&["queue", "--json"]);
        let running = queue["running"].as_array().unwrap().iter();
        let run = running.filter(|job| job["key"] == key).find_map(|job| job["run_id"].as_str());
        run.unwrap_or("none").to_owned()
    }

    /// How many runs a task's development took.
    pub fn attempts(&self, key: &str) -> usize {
        let task = self.orch.json(&["task", "show", key, "--json"]);
        let runs = task["runs"].as_array().unwrap().iter();
        runs.filter(|run| run["stage"] == "development").count()
    }
}

impl Launcher {
    pub fn stop(mut self) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Launcher {
    /// A failed test leaves no service behind: the launcher ends its own.
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        if matches!(self.0.try_wait(), Ok(None)) {
            let _ = Command::new("kill").args(["-TERM", &pid]).status();
            let _ = self.0.wait();
        }
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// This very source tree, as a repository with an origin.
fn source_tree(root: &Path) -> Repository {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let list = git(workspace, &["ls-files", "-co", "--exclude-standard"]);
    let own = Repository::make(root, "self", &[(".gitignore", "/target\n")]);
    for name in list.lines() {
        let (from, to) = (workspace.join(name), own.checkout.join(name));
        // What is deleted and not yet committed so is still listed.
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    git(&own.checkout, &["add", "--all"]);
    git(&own.checkout, &["commit", "-q", "-m", "The source tree"]);
    git(&own.checkout, &["push", "-q", "origin", "main"]);
    own
}

/// Copies what cargo has built of the dependencies; without it they are built anew.
fn take_over_dependencies(target: &Path) {
    let built = Path::new(PROGRAM).parent().unwrap();
    let script = r#"
        mkdir -p "$1/debug/deps"
        cp -a "$0/.fingerprint" "$0/build" "$1/debug/"
        find "$0/deps" -maxdepth 1 -type f '(' -name 'lib*' -o -name '*.d' ')' ! -name 'liborch*' \
            -exec cp -a -t "$1/debug/deps" {} +
    "#;
    let copied = Command::new("sh").args(["-euc", script]).arg(built).arg(target).status().unwrap();
    assert!(copied.success());
}
