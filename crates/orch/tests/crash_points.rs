//! The service is killed at chosen git commands, so that every step between two of them is cut
//! off once: a wrapper on the service's PATH counts the commands and kills its parent.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// Counts in a file; at the number in another file it kills the service in the middle of things,
/// before or after the command by turns.
const WRAPPER: &str = r#"#!/bin/sh
count=$(($(cat "@DIR@/count" 2>/dev/null || echo 0) + 1))
echo "$count" > "@DIR@/count"
if [ "$count" = "$(cat "@DIR@/kill-at" 2>/dev/null)" ]; then
    [ $((count % 2)) -eq 0 ] && "@GIT@" "$@"
    kill -9 "$PPID"
    exit 1
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

fn wrapper(dir: &Path) {
    let real = Command::new("sh").args(["-c", "command -v git"]).output().unwrap();
    let real = String::from_utf8(real.stdout).unwrap();
    let text = WRAPPER.replace("@DIR@", &dir.display().to_string()).replace("@GIT@", real.trim());
    std::fs::write(dir.join("git"), text).unwrap();
    std::fs::set_permissions(dir.join("git"), std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn cut_off_between_any_two_git_commands_a_task_still_lands_once() {
    let root = tempfile::tempdir().unwrap();
    let bin = root.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    wrapper(&bin);
    let repository =
        Repository::make(root.path(), "cut", &[("agent.sh", AGENT), ("orch.toml", SETTINGS)]);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let orch = Orch::new(PROGRAM, root.path()).with("PATH", &path);
    orch.ok(&repository.checkout, &["init"]);
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
