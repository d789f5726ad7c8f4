//! What is past its time goes while the service works, and a backup taken under load becomes a
//! working service.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

const AGENT: &str = r#"
set -eu
sleep 0.1
mkdir -p "$ORCH_ARTIFACT_DIR/06-adr"
case $ORCH_STAGE in
analysis)
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/01-analysis.md"
    printf -- '- a line\n' > "$ORCH_ARTIFACT_DIR/03-acceptance-criteria.md" ;;
development)
    echo "$ORCH_TASK" > "work-$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n%s\n' "$ORCH_RUN_ID" > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
"#;

const SETTINGS: &str = r#"
[repository]
name = "@NAME@"
key_prefix = "@KEY@"
[pipeline]
stages = ["analysis", "development", "review", "testing", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "echo 'ok 1 - whole'"
[budgets]
backoff_base = "20ms"
backoff_cap = "50ms"
"#;

fn repository(root: &Path, name: &str) -> Repository {
    let settings = SETTINGS.replace("@NAME@", name).replace("@KEY@", &name.to_uppercase());
    Repository::make(root, name, &[("agent.sh", AGENT), ("orch.toml", &settings)])
}

fn tasks(orch: &Orch) -> Vec<Value> {
    let page = orch.json(&["task", "list", "--limit", "100", "--json"]);
    page["items"].as_array().or_else(|| page.as_array()).unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn entries(dir: &Path) -> usize {
    fs::read_dir(dir).map_or(0, Iterator::count)
}

#[test]
fn the_service_deletes_what_is_past_its_time_and_works_on() {
    let root = tempfile::tempdir().unwrap();
    let repository = repository(root.path(), "hello");
    let generous = Orch::new(PROGRAM, root.path());
    generous.ok(&repository.checkout, &["init"]);
    let service = generous.serve();
    for title in ["One", "Two"] {
        generous.ok(&repository.checkout, &["task", "add", title, "--wait"]);
    }
    let runs = generous.home().join("runs");
    let mirror = generous.home().join("mirrors/hello.git");
    assert!(entries(&runs) >= 8, "every run has its directory");
    let branches = || git(&mirror, &["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
    assert_eq!(branches(), "orch/HELLO-1\norch/HELLO-2\n");
    let json = generous.json(&["db", "prune", "--json"]);
    assert_eq!((&json["tasks"], &json["run_dirs"]), (&0.into(), &0.into()), "{json}");
    let last = {
        let events = generous.ok(root.path(), &["events", "--json"]);
        let last: Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
        last["id"].as_i64().unwrap()
    };
    service.stop();

    let lean = Orch::new(PROGRAM, root.path())
        .with("ORCH_RETENTION_TASKS", "1s")
        .with("ORCH_RETENTION_KEEP_TASKS", "1")
        .with("ORCH_RETENTION_RUNS", "1s")
        .with("ORCH_RETENTION_KEEP_RUNS", "0")
        .with("ORCH_RETENTION_INTERVAL", "100ms");
    let due = until("the tasks to be old enough", || {
        let due = lean.json(&["db", "prune", "--dry-run", "--json"]);
        (due["tasks"] == 1 && due["run_dirs"] == entries(&runs)).then_some(due)
    });
    assert!(due["events"].as_u64().unwrap() > 10 && due["runs"].as_u64().unwrap() >= 4, "{due}");
    let said = lean.ok(root.path(), &["db", "prune", "--dry-run"]);
    assert!(said.starts_with("would delete: 1 task with"), "{said}");
    assert!(entries(&runs) >= 8, "a dry run deletes nothing");

    let service = lean.serve();
    until("the first task to go", || {
        (lean.run(root.path(), &["task", "show", "HELLO-1"]).status.code() == Some(3)).then_some(())
    });
    until("the logs to go", || (entries(&runs) == 0).then_some(()));
    lean.ok(root.path(), &["task", "show", "HELLO-2"]);
    lean.ok(root.path(), &["task", "logs", "HELLO-2"]);
    assert_eq!(branches(), "orch/HELLO-2\n");
    until("the mirror to be packed", || {
        (mirror.join("orch-maintained").exists() && mirror.join("packed-refs").exists())
            .then_some(())
    });

    let third = lean.ok(&repository.checkout, &["task", "add", "Three", "--wait"]);
    assert_eq!(third.lines().next(), Some("HELLO-3"));
    for key in ["HELLO-1", "HELLO-2", "HELLO-3"] {
        assert_eq!(repository.on_main(&format!("work-{key}")).trim(), key);
    }
    // Whoever had read up to the last event misses none.
    let after = lean.ok(root.path(), &["events", "--after", &last.to_string(), "--json"]);
    let created = after.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let created: Vec<_> = created.filter(|event| event["kind"] == "task.created").collect();
    assert_eq!(created.len(), 1, "{after}");
    assert!(created[0]["id"].as_i64().unwrap() > last);
    assert_eq!(lean.json(&["db", "check", "--json"])["ok"], true);
    drop(service);
}

const NAMES: [&str; 2] = ["left", "right"];

/// A service whose database is copied while tasks come in, are worked and get done; then it is
/// killed and its agents come to their ends.
struct CopiedUnderLoad {
    orch: Orch,
    repositories: [Repository; 2],
    copy: PathBuf,
    /// The tasks that were acknowledged before the copy was begun.
    acknowledged: BTreeSet<String>,
}

fn copied_under_load(root: &Path) -> CopiedUnderLoad {
    let repositories = NAMES.map(|name| repository(root, name));
    let first = Orch::new(PROGRAM, root).with("ORCH_MAX_CONCURRENCY", "4");
    for repository in &repositories {
        first.ok(&repository.checkout, &["init"]);
    }
    let service = first.serve();
    for number in 0..3 {
        for repository in &repositories {
            first.ok(&repository.checkout, &["task", "add", &format!("Line {number}")]);
        }
    }
    until("tasks to be done, at work and waiting", || {
        let states: BTreeSet<String> =
            tasks(&first).iter().map(|task| text(&task["state"]).to_owned()).collect();
        states.is_superset(&["done", "running"].map(str::to_owned).into()).then_some(())
    });
    // Tasks come in without a pause while the copy is made.
    let (copied, copy) = (AtomicBool::new(false), root.join("copy.db"));
    let acknowledged = thread::scope(|scope| {
        let submit = scope.spawn(|| {
            let mut number = 0;
            while !copied.load(Ordering::Relaxed) {
                let checkout = &repositories[number % 2].checkout;
                first.ok(checkout, &["task", "add", &format!("More {number}")]);
                number += 1;
            }
            number
        });
        let before = until("a task that came in under way", || {
            let tasks = tasks(&first);
            tasks.iter().any(|task| text(&task["title"]).starts_with("More")).then_some(tasks)
        });
        first.ok(root, &["db", "backup", copy.to_str().unwrap()]);
        copied.store(true, Ordering::Relaxed);
        submit.join().unwrap();
        before
    });
    let acknowledged = keys(&acknowledged);
    service.kill();
    supervisors_gone(&first);
    CopiedUnderLoad { orch: first, repositories, copy, acknowledged }
}

fn keys(tasks: &[Value]) -> BTreeSet<String> {
    tasks.iter().map(|task| text(&task["key"]).to_owned()).collect()
}

/// Nothing is lost, and everything goes on to its end.
fn works_on(orch: &Orch, world: &CopiedUnderLoad) {
    let check = orch.json(&["db", "check", "--json"]);
    assert_eq!(check["ok"], true, "{check}");
    let service = orch.serve();
    let restored = keys(&tasks(orch));
    assert_eq!(world.acknowledged.difference(&restored).next(), None, "a task is lost");
    let done = until("every task of the copy to be done", || {
        let tasks = tasks(orch);
        for task in &tasks {
            let why = || orch.ok(&orch.home(), &["why", text(&task["key"])]);
            assert_ne!(task["state"], "held", "{}", why());
        }
        tasks.iter().all(|task| task["state"] == "done").then_some(tasks)
    });
    for task in &done {
        let (key, repo) = (text(&task["key"]), text(&task["repo"]));
        let repository = &world.repositories[usize::from(repo == NAMES[1])];
        assert_eq!(repository.on_main(&format!("work-{key}")).trim(), key);
    }
    assert_eq!(orch.json(&["db", "check", "--json"])["ok"], true);
    service.stop();
    supervisors_gone(orch);
}

/// Nothing but the copy, the origins and the checkouts is there.
#[test]
fn a_backup_taken_under_load_becomes_a_working_service() {
    let root = tempfile::tempdir().unwrap();
    let world = copied_under_load(root.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let second = Orch::new(PROGRAM, elsewhere.path()).with("ORCH_MAX_CONCURRENCY", "4");
    fs::DirBuilder::new().mode(0o700).create(second.home()).unwrap();
    fs::copy(&world.copy, second.home().join("orch.db")).unwrap();
    works_on(&second, &world);
}

#[test]
fn a_backup_takes_the_place_of_the_database_it_was_taken_of() {
    let root = tempfile::tempdir().unwrap();
    let world = copied_under_load(root.path());
    let home = world.orch.home();
    for file in ["orch.db-wal", "orch.db-shm"] {
        // There is none where the last one to use the database tidied up.
        let _ = fs::remove_file(home.join(file));
    }
    for room in ["mirrors", "worktrees"] {
        fs::remove_dir_all(home.join(room)).unwrap();
    }
    fs::copy(&world.copy, home.join("orch.db")).unwrap();
    works_on(&world.orch, &world);
}

fn supervisors_gone(orch: &Orch) {
    let home = orch.home().display().to_string();
    until("the supervisors to go", || {
        let alive = fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let Ok(line) = fs::read(entry.path().join("cmdline")) else { return false };
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains("run-supervisor") && line.contains(&home)
        });
        (!alive).then_some(())
    });
}
