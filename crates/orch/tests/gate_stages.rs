//! The serial gate guards only some stages: before it two tasks of one repository are worked at the
//! same time, behind it one after the other.

use orch_testkit::{Orch, Repository, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// In development each waits for the other to have begun; in review nobody may meet another.
const AGENT: &str = r#"
set -eu
mkdir -p "$ORCH_ARTIFACT_DIR"
case $ORCH_STAGE in
development)
    touch "@ROOT@/began-$ORCH_TASK"
    until [ -e "@ROOT@/began-MEET-1" ] && [ -e "@ROOT@/began-MEET-2" ]; do echo waits; sleep 0.05; done
    echo "$ORCH_TASK" > "line-$ORCH_TASK"
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    mkdir "@ROOT@/reviewing"
    sleep 0.2
    rmdir "@ROOT@/reviewing"
    printf -- '---\nverdict: APPROVED\n---\n' > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
"#;

const SETTINGS: &str = r#"
[repository]
name = "meet"
key_prefix = "MEET"
[pipeline]
stages = ["development", "review", "merge"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[budgets]
infra = 0
"#;

#[test]
fn before_the_guarded_stages_tasks_meet_and_inside_they_do_not() {
    let root = tempfile::tempdir().unwrap();
    let agent = AGENT.replace("@ROOT@", &root.path().display().to_string());
    let files = [("agent.sh", agent.as_str()), ("orch.toml", SETTINGS)];
    let repository = Repository::make(root.path(), "meet", &files);
    let orch = Orch::new(PROGRAM, root.path())
        .with("ORCH_MAX_CONCURRENCY", "2")
        .with("ORCH_SERIAL_GATE_STAGES", "review,merge");
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();
    for title in ["The first", "The second"] {
        orch.ok(&repository.checkout, &["task", "add", title]);
    }
    for key in ["MEET-1", "MEET-2"] {
        let why = until(&format!("{key} to end"), || {
            let why = orch.json(&["why", key, "--json"]);
            ["done", "held"].iter().any(|state| why["state"] == *state).then_some(why)
        });
        // A meeting in review would have failed an agent, and there are no defers.
        assert_eq!(why["state"], "done", "{why}");
        assert_eq!(repository.on_main(&format!("line-{key}")).trim(), key);
    }
    drop(service);
    orch.ok(root.path(), &["db", "check"]);
}
