//! Several workers with homes of their own on one PostgreSQL: jobs go where their labels are, a cut
//! or dead worker's jobs go elsewhere, nothing is done twice, and logs are read from anywhere.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use orch_testkit::postgres::Cluster;
use orch_testkit::proxy::Proxy;
use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// Notes begin and end; at development it waits for as long as its worker's brake is on.
const AGENT: &str = r#"
set -eu
echo "begin $ORCH_TASK $ORCH_STAGE $ORCH_RUN_ID" >> "@LEDGER@"
mkdir -p "$ORCH_ARTIFACT_DIR/06-adr"
case $ORCH_STAGE in
analysis)
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/01-analysis.md"
    printf -- '- a line\n' > "$ORCH_ARTIFACT_DIR/03-acceptance-criteria.md" ;;
architecture)
    printf -- '---\nreason: one line\n---\n' > "$ORCH_ARTIFACT_DIR/06-adr/not-needed.md" ;;
development)
    while [ -e "../../brake" ]; do sleep 0.1; done
    echo "$ORCH_TASK" > "work-$ORCH_TASK.txt"
    printf -- '---\nstatus: ready\n---\n%s\n' "$ORCH_RUN_ID" > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
echo "end $ORCH_TASK $ORCH_STAGE $ORCH_RUN_ID" >> "@LEDGER@"
"#;

const SETTINGS: &str = r#"
[repository]
name = "many"
key_prefix = "MANY"
[pipeline]
stages = ["analysis", "architecture", "development", "review", "testing", "merge"]
[stage.development]
labels = ["agents"]
[stage.testing]
labels = ["suite"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "echo 'ok 1 - whole'; echo '1..1'"
[budgets]
backoff_base = "50ms"
backoff_cap = "200ms"
"#;

/// Hides the control groups, which would be one for all.
const APART: &str = r#"mount -t tmpfs none /sys/fs/cgroup && exec "$0" "$@""#;

struct Bed {
    root: PathBuf,
    url: String,
    control: Orch,
}

impl Bed {
    fn new(root: &Path) -> Self {
        let url = Cluster::shared().database();
        let control = Self::node(root, "control", &url);
        Self { root: root.to_owned(), url, control }
    }

    fn node(root: &Path, name: &str, url: &str) -> Orch {
        let home = root.join(name);
        std::fs::create_dir_all(&home).unwrap();
        let objects = format!("file://{}", root.join("objects").display());
        std::fs::create_dir_all(root.join("objects")).unwrap();
        Orch::new(PROGRAM, &home)
            .with("ORCH_DATABASE_URL", url)
            .with("ORCH_OBJECT_STORE_URL", &objects)
            .with("ORCH_REAPER_LEASE", "3s")
            .with("ORCH_SERIAL_GATE_WIDTH", "4")
    }

    fn worker(&self, name: &str, labels: &str, url: &str) -> Worker {
        let node = Self::node(&self.root, name, url);
        let child = self.apart(&node, name, &["worker", "--labels", labels, "--capacity", "2"]);
        Worker { child, home: node.home() }
    }

    /// The service without a worker.
    fn service(&self) -> Worker {
        let child = self.apart(&self.control, "control", &["serve", "--no-worker"]);
        until("the service to answer", || {
            self.control.run(&self.root, &["status"]).status.success().then_some(())
        });
        Worker { child, home: self.control.home() }
    }

    /// Starts the program with processes of its own, as on a machine of its own: it neither sees
    /// nor ends those of the others.
    fn apart(&self, node: &Orch, name: &str, args: &[&str]) -> Child {
        let log = std::fs::File::create(self.root.join(name).join("log")).unwrap();
        let alike = node.command(&self.root);
        let mut command = Command::new("unshare");
        if !is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args(["--pid", "--fork", "--mount-proc", "--kill-child", "--", "sh", "-c", APART])
            .arg(PROGRAM)
            .args(args)
            .current_dir(&self.root)
            .env_clear()
            .envs(alike.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    fn ledger(&self) -> String {
        std::fs::read_to_string(self.root.join("ledger")).unwrap_or_default()
    }

    fn task(&self, key: &str) -> Value {
        self.control.json(&["task", "show", key, "--json"])
    }

    fn tasks(&self) -> Vec<Value> {
        let listed = self.control.json(&["task", "list", "--json"]);
        listed.as_array().unwrap_or_else(|| panic!("{listed}")).clone()
    }

    /// A task's runs at a stage, oldest first.
    fn runs(&self, key: &str, stage: &str) -> Vec<Value> {
        let shown = self.task(key);
        let runs = shown["runs"].as_array().unwrap_or_else(|| panic!("{shown}")).clone();
        runs.into_iter().filter(|run| run["stage"] == stage).collect()
    }

    /// The run of a task whose agent is at development.
    fn at_development(&self, key: &str) -> Value {
        until("the agent to be at development", || {
            let run = self.runs(key, "development").pop()?;
            let begun = format!("begin {key} development {}", run["run_id"].as_str()?);
            self.ledger().contains(&begun).then_some(run)
        })
    }

    fn all_done(&self) {
        until("every task to be done", || {
            self.tasks().iter().all(|task| task["state"] == "done").then_some(())
        });
    }
}

struct Worker {
    child: Child,
    home: PathBuf,
}

impl Worker {
    fn id(&self) -> String {
        until("the worker to have an id", || {
            std::fs::read_to_string(self.home.join("worker-id")).ok()
        })
        .trim()
        .to_owned()
    }

    /// Whoever is at development under this worker stays there.
    fn brake(&self, on: bool) {
        std::fs::create_dir_all(&self.home).unwrap();
        let brake = self.home.join("brake");
        if on { std::fs::write(brake, "").unwrap() } else { std::fs::remove_file(brake).unwrap() }
    }

    /// The machine is gone: the worker and every process of its runs.
    fn dies(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Processes of this worker's runs.
    fn processes(&self) -> Vec<String> {
        let home = self.home.display().to_string();
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
            .filter(|pid| {
                let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                let environment = String::from_utf8_lossy(&environment);
                environment.contains("ORCH_RUN_MARK=") && environment.contains(&home)
            })
            .collect()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn is_root() -> bool {
    let said = Command::new("id").arg("-u").output().unwrap();
    said.stdout.trim_ascii() == b"0"
}

fn repository(root: &Path) -> Repository {
    let agent = AGENT.replace("@LEDGER@", &root.join("ledger").display().to_string());
    Repository::make(root, "many", &[("agent.sh", &agent), ("orch.toml", SETTINGS)])
}

#[test]
fn workers_share_the_work_and_nothing_is_done_twice() {
    let root = tempfile::tempdir().unwrap();
    let repository = repository(root.path());
    let bed = Bed::new(root.path());
    bed.control.ok(&repository.checkout, &["init"]);
    let service = bed.service();
    for number in 0..4 {
        bed.control.ok(&repository.checkout, &["task", "add", &format!("Line {number}")]);
    }
    let why = bed.control.ok(root.path(), &["why", "MANY-1"]);
    assert!(why.contains("no worker is alive"), "{why}");

    // One without the label that testing asks for: everything waits there, with the reason.
    let proxy = Proxy::before(Cluster::shared().port());
    let port = format!(":{}/", Cluster::shared().port());
    let through = bed.url.replace(&port, &format!(":{}/", proxy.port()));
    let mut cut = bed.worker("cut", "agents", &through);
    until("a task to wait for a worker with the label", || {
        let why = bed.control.ok(root.path(), &["why", "MANY-1"]);
        why.contains("no living worker has the labels suite").then_some(())
    });

    // Another does what the first can't; each goes on from the branch that the other pushed.
    let suite = bed.worker("suite", "suite", &bed.url);
    bed.all_done();
    for task in bed.tasks() {
        for (stage, worker) in [("development", &cut), ("testing", &suite)] {
            let runs = bed.runs(task["key"].as_str().unwrap(), stage);
            assert!(!runs.is_empty() && runs.iter().all(|run| run["worker_id"] == worker.id()));
        }
    }

    // The first is cut off in mid-run: its lease runs out and a third does the work.
    cut.brake(true);
    bed.control.ok(&repository.checkout, &["task", "add", "Cut"]);
    let stale = bed.at_development("MANY-5")["run_id"].as_str().unwrap().to_owned();
    proxy.cut_off(true);
    let mut third = bed.worker("third", "agents,suite", &bed.url);
    bed.all_done();
    let runs = bed.runs("MANY-5", "development");
    assert_eq!((runs.len(), &runs[0]["outcome"]), (2, &Value::from("lost")), "{runs:?}");
    assert!(!cut.processes().is_empty(), "the stale run still works, cut off as it is");
    // Back again it finds itself fenced and ends the stale run, which never comes to its end.
    proxy.cut_off(false);
    until("the stale run to be ended", || cut.processes().is_empty().then_some(()));
    let ends = |line: &str| line.starts_with("end") && line.ends_with(&stale);
    assert!(!bed.ledger().lines().any(ends), "{}", bed.ledger());

    // Whoever works the next dies with its machine; the other takes over.
    third.brake(true);
    bed.control.ok(&repository.checkout, &["task", "add", "Dead"]);
    let run = bed.at_development("MANY-6");
    let (dies, lives) =
        if run["worker_id"] == cut.id() { (&mut cut, &third) } else { (&mut third, &cut) };
    dies.dies();
    lives.brake(false);
    bed.all_done();

    // Each landed once; every log is read through the service that ran none of it.
    git(&repository.checkout, &["fetch", "--quiet", "origin"]);
    for number in 1..=6 {
        let key = format!("MANY-{number}");
        let added = git(
            &repository.checkout,
            &[
                "log",
                "--format=%H",
                "--diff-filter=A",
                "origin/main",
                "--",
                &format!("work-{key}.txt"),
            ],
        );
        assert_eq!(added.lines().count(), 1, "{key} landed {added:?}");
    }
    // A task whose base moved under it was tested again, so there may be more than one.
    let runs = bed.runs("MANY-1", "testing");
    assert!(!runs.is_empty());
    for run in runs {
        let run = run["run_id"].as_str().unwrap();
        let log = bed.control.ok(root.path(), &["task", "logs", "MANY-1", "--run", run]);
        assert!(log.contains("ok 1 - whole"), "{run}: {log}");
    }
    let check = bed.control.json(&["db", "check", "--json"]);
    assert_eq!(check["ok"], true, "{check}");
    drop(service);
}

#[test]
fn a_worker_refuses_a_database_that_it_cannot_share() {
    let root = tempfile::tempdir().unwrap();
    let refused = Orch::new(PROGRAM, root.path()).run(root.path(), &["worker"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("ORCH_DATABASE_URL"), "{said}");
}
