//! A pipeline rehearsed with the scripted agent: what goes wrong with agents ends in the right
//! standing, and nothing of it stays behind.

use std::path::Path;

use orch_testkit::{Orch, Repository, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

const SETTINGS: &str = r#"
[repository]
name = "play"
key_prefix = "PLAY"
[pipeline]
stages = ["development", "review", "merge"]
[agents.default]
adapter = "scripted"
script = "play.toml"
stall = "1s"
[budgets]
infra = 1
backoff_base = "20ms"
backoff_cap = "20ms"
"#;

const SCRIPT: &str = r#"
default_artifacts = true

[[on]]
task = "Hang"
role = "developer"
[[on.step]]
print = "thinking"
[[on.step]]
hang = true

[[on]]
task = "Crash"
role = "developer"
[[on.step]]
crash = true

[[on]]
task = "Nothing"
role = "developer"
[[on.step]]
print = "done!"

[[on]]
task = "Stubborn"
role = "developer"
[[on.step]]
spawn_stubborn = "600s"
[[on.step]]
write = "stubborn.txt"
text = "{{ task }}\n"
[[on.step]]
usage = { input_tokens = 1200, output_tokens = 34, cost_usd = 0.05 }
[[on.step]]
artifact = "11-implementation.md"
text = """
---
status: ready
---
"""
"#;

fn submit(orch: &Orch, repository: &Repository, title: &str) -> String {
    orch.ok(&repository.checkout, &["task", "add", title]).trim().to_owned()
}

fn why(orch: &Orch, key: &str) -> Value {
    orch.json(&["why", key, "--json"])
}

/// Processes that carry a mark of one of these runs.
fn marked(runs: &[String]) -> usize {
    let carries = |dir: &Path| {
        let environment = std::fs::read(dir.join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        runs.iter().any(|run| environment.contains(&format!("ORCH_RUN_MARK={run}\0")))
    };
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| carries(&entry.path()))
        .count()
}

#[test]
fn what_goes_wrong_with_agents_ends_in_the_right_standing() {
    let root = tempfile::tempdir().unwrap();
    let repository =
        Repository::make(root.path(), "play", &[("orch.toml", SETTINGS), ("play.toml", SCRIPT)]);
    let orch = Orch::new(PROGRAM, root.path());
    orch.ok(&repository.checkout, &["init"]);
    let service = orch.serve();

    // A held task steps aside, so that each is followed by the next.
    let held = [
        ("Hang", "printed nothing for 1 s"),
        ("Crash", "killed by signal 6"),
        ("Nothing", "11-implementation.md"),
    ];
    for (title, reason) in held {
        let key = submit(&orch, &repository, title);
        until(&format!("{title} to be held"), || {
            (why(&orch, &key)["state"] == "held").then_some(())
        });
        let why = why(&orch, &key);
        assert!(why["reasons"].to_string().contains(reason), "{title}: {why}");
        let task = orch.json(&["task", "show", &key, "--json"]);
        assert_eq!(task["bounces"], 0, "{title} was taken for a fault of the code");
    }

    let key = submit(&orch, &repository, "Stubborn");
    until("the stubborn task to be done", || (why(&orch, &key)["state"] == "done").then_some(()));
    assert_eq!(repository.on_main("stubborn.txt"), format!("{key}\n"));
    let task = orch.json(&["task", "show", &key, "--json"]);
    let runs: Vec<String> = task["runs"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|run| run["run_id"].as_str().map(ToOwned::to_owned))
        .collect();
    assert!(!runs.is_empty(), "{task}");
    assert_eq!(marked(&runs), 0, "a grandchild outlived its run");
    let cost = task["cost"].to_string();
    assert!(cost.contains("1200") && cost.contains("34"), "{cost}");
    drop(service);
}
