//! The program as a user meets it: a repository is fitted out, the service runs, tasks are
//! submitted and come out landed.

use std::path::Path;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// A program as agent: writes what each stage asks for, and one line of code in development.
const AGENT: &str = r#"
set -eu
grep -q "$ORCH_TASK" "$ORCH_BRIEF_FILE"
cmp -s - "$ORCH_BRIEF_FILE"
mkdir -p "$ORCH_ARTIFACT_DIR/06-adr"
case $ORCH_STAGE in
analysis)
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/01-analysis.md"
    printf -- '- it says hello\n' > "$ORCH_ARTIFACT_DIR/03-acceptance-criteria.md" ;;
architecture)
    printf -- '---\nreason: one line\n---\n' > "$ORCH_ARTIFACT_DIR/06-adr/not-needed.md" ;;
development)
    mkdir -p said
    echo "$ORCH_TASK attempt $ORCH_ATTEMPT" >> "said/$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
"#;

const SETTINGS: &str = r#"
[repository]
name = "hello"
key_prefix = "HELLO"
[pipeline]
stages = ["analysis", "architecture", "development", "review", "testing", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "test -s hello.txt && echo 'ok 1 - it says hello'"
[budgets]
backoff_base = "50ms"
backoff_cap = "100ms"
"#;

fn repository(root: &Path, settings: &str) -> Repository {
    Repository::make(
        root,
        "hello",
        &[("agent.sh", AGENT), ("orch.toml", settings), ("hello.txt", "hello\n")],
    )
}

fn state(orch: &Orch, key: &str) -> Value {
    orch.json(&["why", key, "--json"])["state"].clone()
}

#[test]
fn a_program_as_agent_takes_tasks_to_main_and_the_checkout_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let repository = repository(root.path(), SETTINGS);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let before = git(&repository.checkout, &["status", "--porcelain"]);
    let service = orch.serve();
    let first = orch.ok(&repository.checkout, &["task", "add", "Say hello", "--wait"]);
    assert_eq!(first.lines().next(), Some("HELLO-1"));
    orch.ok(&repository.checkout, &["task", "add", "Say it again", "--wait"]);

    assert_eq!(repository.on_main("said/HELLO-1"), "HELLO-1 attempt 1\n");
    assert_eq!(repository.on_main("said/HELLO-2"), "HELLO-2 attempt 1\n");
    let report = repository.on_main("docs/work-items/HELLO-1/13-test-report.md");
    assert!(report.contains("result: PASS") && report.contains("exit_code: 0"), "{report}");
    assert_eq!(git(&repository.checkout, &["status", "--porcelain"]), before);
    assert_eq!(git(&repository.checkout, &["log", "--oneline"]).lines().count(), 1);
    assert_eq!(state(&orch, "HELLO-1"), "done");
    let list = orch.json(&["task", "list", "--json"]);
    assert_eq!(
        list["items"]
            .as_array()
            .map_or_else(|| list.as_array().map(Vec::len), |items| Some(items.len())),
        Some(2)
    );
    until("the worktrees to go", || {
        std::fs::read_dir(orch.home().join("worktrees")).unwrap().next().is_none().then_some(())
    });
    let took = service.stop();
    assert!(took.as_secs() < 2, "the service took {took:?} to stop");
}

/// Every standing that can be brought about from outside says why, and what moves it.
#[test]
fn why_is_true_for_a_task_that_waits_is_paused_frozen_running_or_held() {
    let root = tempfile::tempdir().unwrap();
    let gate = root.path().join("go");
    let waits = format!("while [ ! -e '{}' ]; do sleep 0.05; done\n{AGENT}", gate.display());
    let repository = repository(root.path(), SETTINGS);
    repository.write(&[("agent.sh", &waits)]);
    git(&repository.checkout, &["commit", "-qam", "Wait"]);
    git(&repository.checkout, &["push", "-q", "origin", "main"]);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    for title in ["One", "Two", "Three"] {
        orch.ok(&repository.checkout, &["task", "add", title]);
    }
    until("the first task to run", || (state(&orch, "HELLO-1") == "running").then_some(()));
    assert_eq!(state(&orch, "HELLO-2"), "waiting_at_gate");
    let why = orch.ok(root.path(), &["why", "HELLO-3"]);
    assert!(why.contains("HELLO-1") && why.contains("HELLO-2"), "{why}");

    orch.ok(root.path(), &["gate", "pause", "HELLO-2", "--reason", "lunch"]);
    assert_eq!(state(&orch, "HELLO-2"), "paused");
    orch.ok(root.path(), &["gate", "pause", "HELLO-2", "--reason", "lunch"]);
    orch.ok(root.path(), &["gate", "freeze", "hello", "--reason", "release"]);
    assert_eq!(state(&orch, "HELLO-3"), "frozen");
    orch.ok(root.path(), &["gate", "unfreeze", "hello"]);
    orch.ok(root.path(), &["gate", "pause", "HELLO-1"]);
    until("the third task to pass the paused ones", || {
        (state(&orch, "HELLO-3") == "running").then_some(())
    });

    std::fs::write(&gate, "").unwrap();
    until("the third task to be done", || (state(&orch, "HELLO-3") == "done").then_some(()));
    until("the paused task to step aside", || (state(&orch, "HELLO-1") == "paused").then_some(()));
    for key in ["HELLO-1", "HELLO-2"] {
        orch.ok(root.path(), &["gate", "resume", key]);
    }
    until("the others to be done", || {
        (state(&orch, "HELLO-1") == "done" && state(&orch, "HELLO-2") == "done").then_some(())
    });
    for key in ["HELLO-1", "HELLO-2", "HELLO-3"] {
        assert_eq!(repository.on_main(&format!("said/{key}")).trim(), format!("{key} attempt 1"));
    }
    assert_eq!(orch.run(root.path(), &["why", "HELLO-9"]).status.code(), Some(3));
    drop(service);
    assert_eq!(orch.run(root.path(), &["why", "HELLO-1"]).status.code(), Some(4));
}

/// A missing program is the environment's fault: the task is held, nothing goes back, and after
/// the fault is mended it goes on from the same stage.
#[test]
fn infrastructure_holds_a_task_where_it_stands() {
    let root = tempfile::tempdir().unwrap();
    let broken = SETTINGS.replace("test -s hello.txt", "no-such-program-here");
    let repository = repository(root.path(), &broken);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    let output = orch.run(&repository.checkout, &["task", "add", "Say hello", "--wait"]);
    assert_eq!(output.status.code(), Some(1));
    let why = orch.json(&["why", "HELLO-1", "--json"]);
    assert_eq!((why["state"].as_str(), why["stage"].as_str()), (Some("held"), Some("testing")));
    assert!(why.to_string().contains("not found"), "{why}");
    repository.write(&[("orch.toml", SETTINGS)]);
    orch.ok(root.path(), &["task", "retry", "HELLO-1"]);
    until("the task to be done", || (state(&orch, "HELLO-1") == "done").then_some(()));
    let task = orch.json(&["task", "show", "HELLO-1", "--json"]);
    assert_eq!(repository.on_main("said/HELLO-1"), "HELLO-1 attempt 1\n", "{task}");
    drop(service);
}

/// A passing fault sends the job back to the queue with a stated reason and time; the operator may
/// cut the wait short, and nothing goes back to development.
#[test]
fn a_passing_fault_defers_and_the_wait_can_be_cut_short() {
    let root = tempfile::tempdir().unwrap();
    let mended = root.path().join("mended");
    let flaky = format!(
        "test -e '{}' || {{ echo 'connect: Connection refused' >&2; exit 1; }}; echo 'ok 1'",
        mended.display()
    );
    let settings = SETTINGS
        .replace("test -s hello.txt && echo 'ok 1 - it says hello'", &flaky)
        .replace("\"50ms\"", "\"10m\"")
        .replace("\"100ms\"", "\"10m\"");
    let repository = repository(root.path(), &settings);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    orch.ok(&repository.checkout, &["task", "add", "Say hello"]);
    until("the task to be deferred", || (state(&orch, "HELLO-1") == "deferred").then_some(()));
    let why = orch.json(&["why", "HELLO-1", "--json"]);
    assert_eq!(why["stage"], "testing");
    assert!(why.to_string().contains("a connection was refused"), "{why}");
    std::fs::write(&mended, "").unwrap();
    orch.ok(root.path(), &["task", "retry", "HELLO-1"]);
    until("the task to be done", || (state(&orch, "HELLO-1") == "done").then_some(()));
    assert_eq!(repository.on_main("said/HELLO-1"), "HELLO-1 attempt 1\n");
    drop(service);
}

/// A person's approval is a stage like any other.
#[test]
fn a_task_waits_for_a_persons_approval() {
    let root = tempfile::tempdir().unwrap();
    let settings = SETTINGS.replace("\"testing\", ", "\"sign-off\", ")
        + "[stage.sign-off]\nproducer = \"human\"\n";
    let repository = repository(root.path(), &settings);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    orch.ok(&repository.checkout, &["task", "add", "Say hello"]);
    until("the task to wait", || (state(&orch, "HELLO-1") == "waiting_for_human").then_some(()));
    assert!(orch.ok(root.path(), &["why", "HELLO-1"]).contains("orch task approve HELLO-1"));
    assert_eq!(orch.run(root.path(), &["task", "retry", "HELLO-1"]).status.code(), Some(1));
    orch.ok(root.path(), &["task", "approve", "HELLO-1"]);
    until("the task to be done", || (state(&orch, "HELLO-1") == "done").then_some(()));
    assert_eq!(orch.run(root.path(), &["task", "approve", "HELLO-1"]).status.code(), Some(1));
    drop(service);
}

/// A cancelled task's run is ended with all it started, and its worktree goes.
#[test]
fn a_cancelled_task_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let repository = repository(root.path(), SETTINGS);
    let marker = root.path().join("alive");
    let daemon = format!(
        "(trap '' TERM; setsid sh -c 'while :; do date > {}; sleep 0.02; done') & sleep 600\n",
        marker.display()
    );
    repository.write(&[("agent.sh", &daemon)]);
    git(&repository.checkout, &["commit", "-qam", "Hang"]);
    git(&repository.checkout, &["push", "-q", "origin", "main"]);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    orch.ok(&repository.checkout, &["task", "add", "Say hello"]);
    until("the agent to be at work", || marker.exists().then_some(()));
    orch.ok(root.path(), &["task", "cancel", "HELLO-1"]);
    until("the worktree to go", || {
        std::fs::read_dir(orch.home().join("worktrees")).unwrap().next().is_none().then_some(())
    });
    std::fs::remove_file(&marker).unwrap();
    // Had the daemon lived, it would write the file again long before a whole new task is done.
    repository.write(&[("agent.sh", AGENT)]);
    git(&repository.checkout, &["commit", "-qam", "Work"]);
    git(&repository.checkout, &["push", "-q", "origin", "main"]);
    orch.ok(&repository.checkout, &["task", "add", "Say hello", "--wait"]);
    assert!(!marker.exists(), "a daemon of the cancelled run lives on");
    assert_eq!(state(&orch, "HELLO-1"), "cancelled");
    drop(service);
}
