//! The service is killed, or a worktree taken away, at chosen git commands, so that every step
//! between two of them is cut off once: a wrapper on the service's PATH counts the commands and
//! strikes.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// Counts in a file; at the number in another file it kills the service in the middle of things,
/// before or after the command by turns, and at the number in a third one it takes all worktrees
/// away before the command.
const WRAPPER: &str = r#"#!/bin/sh
count=$(($(cat "@DIR@/count" 2>/dev/null || echo 0) + 1))
echo "$count" > "@DIR@/count"
if [ "$count" = "$(cat "@DIR@/kill-at" 2>/dev/null)" ]; then
    [ $((count % 2)) -eq 0 ] && "@GIT@" "$@"
    kill -9 "$PPID"
    exit 1
fi
if [ "$count" = "$(cat "@DIR@/remove-at" 2>/dev/null)" ]; then
    rm -rf "@STATE@/worktrees"/*
fi
exec "@GIT@" "$@"
"#;

const AGENT: &str = r#"
set -eu
mkdir -p "$ORCH_ARTIFACT_DIR"
case $ORCH_STAGE in
development)
    echo "$ORCH_TASK $ORCH_ATTEMPT" > "line-$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    echo "$ORCH_ATTEMPT" > "@DIR@/review-$ORCH_TASK"
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
"#;

const SETTINGS: &str = r#"
[repository]
name = "cut"
key_prefix = "CUT"
[pipeline]
stages = ["development", "review", "testing", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "echo 'ok 1'"
[budgets]
backoff_base = "10ms"
backoff_cap = "20ms"
"#;

/// More git commands than a whole task takes; the test ends at the first that is not reached.
const CUTS: usize = 100;

fn wrapper(dir: &Path, state: &Path) {
    let real = Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let text = WRAPPER
        .replace("@DIR@", &dir.display().to_string())
        .replace("@STATE@", &state.display().to_string())
        .replace("@GIT@", real.trim());
    std::fs::write(dir.join("git"), text).unwrap();
    std::fs::set_permissions(dir.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// The program with the wrapper in front of git, and a repository that it knows.
fn bed(root: &Path) -> (Orch, Repository, PathBuf) {
    let bin = root.join("bin");
    std::fs::create_dir(&bin).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    // The same fault again and again is what is made here; its pause has tests of its own.
    let orch = Orch::new(PROGRAM, root).with("PATH", &path).with("ORCH_BREAKER_ENABLED", "false");
    wrapper(&bin, &orch.home());
    let agent = AGENT.replace("@DIR@", &bin.display().to_string());
    let repository =
        Repository::make(root, "cut", &[("agent.sh", &agent), ("orch.toml", SETTINGS)]);
    orch.ok(&repository.checkout, &["init"]);
    (orch, repository, bin)
}

#[test]
fn cut_off_between_any_two_git_commands_a_task_still_lands_once() {
    let root = tempfile::tempdir().unwrap();
    let (orch, repository, bin) = bed(root.path());
    let mut service = orch.serve();
    let mut tasks = 0;
    for cut in 1..=CUTS {
        // Behind the frozen gate the count begins anew; then the task's first command is the first.
        orch.ok(root.path(), &["gate", "freeze", "cut"]);
        let key = orch.ok(&repository.checkout, &["task", "add", &format!("Cut {cut}")]);
        std::fs::write(bin.join("count"), "0").unwrap();
        std::fs::write(bin.join("kill-at"), cut.to_string()).unwrap();
        // The answer may be cut off with the service; that it was let in shows by the task's end.
        orch.run(root.path(), &["gate", "unfreeze", "cut"]);
        let key = key.trim();
        tasks += 1;
        let mut killed = false;
        until(&format!("{key}, cut at git command {cut}, to be done"), || {
            if service.has_ended() {
                killed = true;
                service = orch.serve();
            }
            // The question may fall into the moment of the kill.
            let output = orch.run(root.path(), &["why", key, "--json"]);
            let why: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            assert!(why["state"] != "held", "cut at {cut}: {why}");
            (why["state"] == "done").then_some(())
        });
        assert_eq!(
            repository.on_main(&format!("line-{key}")).trim(),
            format!("{key} 1"),
            "cut at {cut}"
        );
        let landed =
            ["log", "--format=%H", "--diff-filter=A", "main", "--", &format!("line-{key}")];
        assert_eq!(
            git(&repository.origin, &landed).lines().count(),
            1,
            "{key} landed more than once, cut at {cut}"
        );
        if !killed {
            println!("a whole task takes fewer than {cut} git commands");
            break;
        }
    }
    until("the worktrees to go", || {
        std::fs::read_dir(orch.home().join("worktrees")).unwrap().next().is_none().then_some(())
    });
    println!("{tasks} tasks, each cut off once");
    drop(service);
    orch.ok(root.path(), &["db", "check"]);
}

/// Every third of them: some commands lie between any two moments at which what is lost matters.
#[test]
fn a_worktree_that_goes_between_two_git_commands_costs_its_task_nothing() {
    let root = tempfile::tempdir().unwrap();
    let (orch, repository, bin) = bed(root.path());
    let service = orch.serve();
    for cut in (1..=CUTS).step_by(3) {
        orch.ok(root.path(), &["gate", "freeze", "cut"]);
        let key = orch.ok(&repository.checkout, &["task", "add", &format!("Gone {cut}")]);
        let key = key.trim();
        std::fs::write(bin.join("count"), "0").unwrap();
        std::fs::write(bin.join("remove-at"), cut.to_string()).unwrap();
        orch.ok(root.path(), &["gate", "unfreeze", "cut"]);
        until(&format!("{key}, without its worktree at git command {cut}, to be done"), || {
            let why = orch.json(&["why", key, "--json"]);
            assert!(why["state"] != "held", "gone at {cut}: {why}");
            (why["state"] == "done").then_some(())
        });
        // Neither stage was told that it had been tried before, so no retry was burnt.
        let line = repository.on_main(&format!("line-{key}"));
        let review = std::fs::read_to_string(bin.join(format!("review-{key}"))).unwrap();
        let tries = (line.trim().to_owned(), review.trim().to_owned());
        let once = (format!("{key} 1"), "1".to_owned());
        assert_eq!(tries, once, "gone at {cut}: {}", orch.ok(root.path(), &["task", "show", key]));
        let used: usize =
            std::fs::read_to_string(bin.join("count")).unwrap().trim().parse().unwrap();
        if used < cut {
            println!("a whole task takes {used} git commands");
            break;
        }
    }
    service.stop();
    orch.ok(root.path(), &["db", "check"]);
}
