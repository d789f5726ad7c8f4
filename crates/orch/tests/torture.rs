//! `kill -9` of the service at random moments under load: every task ends where it should, nothing
//! runs twice at once, nothing lands twice, nothing is left over, and running agents are adopted.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::HashMap;
use std::path::Path;
use std::thread;
use std::time::Duration;

use orch_testkit::{Orch, Repository, git, until};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");
/// Kills in one test.
const KILLS: usize = 36;
/// Tasks per repository.
const TASKS: usize = 6;
const REPOSITORIES: [&str; 2] = ["left", "right"];

/// An agent that notes its beginning and end in a ledger, works for a moment in between, fails
/// review once per task whose number is even, and breaks the tests once per task divisible by 3.
const AGENT: &str = r#"
set -eu
number=${ORCH_TASK##*-}
echo "begin $ORCH_TASK $ORCH_RUN_ID" >> "@LEDGER@"
sleep 0.12
mkdir -p "$ORCH_ARTIFACT_DIR/06-adr"
case $ORCH_STAGE in
analysis)
    printf -- '---\nstatus: ready\n---\n' > "$ORCH_ARTIFACT_DIR/01-analysis.md"
    printf -- '- a line\n' > "$ORCH_ARTIFACT_DIR/03-acceptance-criteria.md" ;;
architecture)
    printf -- '---\nreason: one line\n---\n' > "$ORCH_ARTIFACT_DIR/06-adr/not-needed.md" ;;
development)
    echo "$ORCH_TASK" > "work-$ORCH_TASK.txt"
    if [ $((number % 3)) -eq 0 ] && [ "$ORCH_ATTEMPT" -eq 1 ]; then echo broken > broken; else rm -f broken; fi
    printf -- '---\nstatus: ready\n---\n%s\n' "$ORCH_RUN_ID" > "$ORCH_ARTIFACT_DIR/11-implementation.md" ;;
review)
    verdict=APPROVED
    if [ $((number % 2)) -eq 0 ] && [ "$ORCH_ATTEMPT" -eq 1 ]; then verdict=REQUEST_CHANGES; fi
    printf -- '---\nverdict: %s\n---\n' "$verdict" > "$ORCH_ARTIFACT_DIR/12-review.md" ;;
esac
echo "end $ORCH_TASK $ORCH_RUN_ID" >> "@LEDGER@"
"#;

/// The service is killed once while a task is at each of these, before it is killed at random.
const STAGES: [&str; 7] =
    ["analysis", "architecture", "development", "review", "testing", "deploy-staging", "deploy"];

const SETTINGS: &str = r#"
[repository]
name = "@NAME@"
key_prefix = "@KEY@"
[pipeline]
stages = ["analysis", "architecture", "development", "review", "testing", "deploy-staging", "deploy"]
[agents.default]
adapter = "command"
command = ["sh", "agent.sh"]
[test_runner]
command = "sleep 0.1; if [ -e broken ]; then echo 'not ok 1 - broken'; exit 1; else echo 'ok 1 - whole'; fi"
[staging_runner]
command = "sleep 0.1; echo 'ok 1 - staged'"
exec_host_side = false
[deploy]
command = "sleep 0.1; echo \"$ORCH_TASK $ORCH_REVISION\" >> '@DEPLOYS@'"
[budgets]
backoff_base = "20ms"
backoff_cap = "50ms"
"#;

fn repositories(root: &Path) -> Vec<Repository> {
    let path = |name: &str| root.join(name).display().to_string();
    let agent = AGENT.replace("@LEDGER@", &path("ledger"));
    REPOSITORIES
        .iter()
        .map(|name| {
            let settings = SETTINGS
                .replace("@NAME@", name)
                .replace("@KEY@", &name.to_uppercase())
                .replace("@DEPLOYS@", &path("deploys"));
            Repository::make(root, name, &[("agent.sh", &agent), ("orch.toml", &settings)])
        })
        .collect()
}

/// A small generator, so that a failing test can be repeated with its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn killed_again_and_again_the_service_loses_and_repeats_nothing() {
    let root = tempfile::tempdir().unwrap();
    let repositories = repositories(root.path());
    let orch = Orch::new(PROGRAM, root.path()).with("ORCH_MAX_CONCURRENCY", "4");
    for repository in &repositories {
        orch.ok(&repository.checkout, &["init"]);
    }
    let mut service = orch.serve();
    for number in 0..TASKS {
        for repository in &repositories {
            orch.ok(&repository.checkout, &["task", "add", &format!("Line {number}")]);
        }
    }
    let seed =
        std::env::var("ORCH_TORTURE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(0x5eed_0001);
    println!("seed {seed}");
    let mut random = Random(seed);
    for stage in STAGES {
        until("a task at each stage in turn", || at_stage(&orch, stage).then_some(()));
        service.kill();
        service = orch.serve();
    }
    for _ in STAGES.len()..KILLS {
        thread::sleep(Duration::from_millis(random.below(450)));
        service.kill();
        service = orch.serve();
    }
    let tasks = until("every task to be done", || {
        let tasks = all_tasks(&orch);
        for task in tasks.iter().filter(|task| task["state"] == "held") {
            set_going(&orch, key(task));
        }
        tasks.iter().all(|task| task["state"] == "done").then_some(tasks)
    });
    assert_eq!(tasks.len(), TASKS * REPOSITORIES.len());
    let events = events(&orch);
    let adopted = events.iter().filter(|event| event["kind"] == "run.adopted").count();
    let vanished: Vec<_> = events
        .iter()
        .filter(|event| {
            event["kind"] == "run.reaped"
                && !event["message"].as_str().unwrap_or_default().contains("before the run began")
        })
        .collect();
    println!("{KILLS} kills: {adopted} runs adopted, {} runs reaped", count(&events, "run.reaped"));
    assert!(adopted > 0, "no run was adopted");
    assert_eq!(vanished, Vec::<&Value>::new(), "runs were restarted that could have been adopted");

    judge_ledger(&std::fs::read_to_string(root.path().join("ledger")).unwrap());
    for (repository, name) in repositories.iter().zip(REPOSITORIES) {
        judge_main(repository, name);
    }
    judge_deploys(&std::fs::read_to_string(root.path().join("deploys")).unwrap());
    judge_bounces(&events);
    nothing_left(&orch);
    drop(service);
    orch.ok(root.path(), &["db", "check"]);
}

/// A job whose service was killed over it three times before its run began, or in the merge gate, is
/// held for that and nothing else; then its operator sets it going again.
fn set_going(orch: &Orch, key: &str) {
    let why = orch.ok(&orch.home(), &["why", key]);
    assert!(why.contains("lost with its worker"), "{why}");
    orch.ok(&orch.home(), &["task", "retry", key]);
}

/// Whether a task is being worked at this stage.
fn at_stage(orch: &Orch, stage: &str) -> bool {
    let tasks = all_tasks(orch);
    tasks.iter().any(|task| task["stage"] == stage && task["state"] == "running")
}

fn key(task: &Value) -> &str {
    task["key"].as_str().unwrap_or_default()
}

fn items(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        Value::Object(mut page) => {
            page.remove("items").and_then(|items| items.as_array().cloned()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn all_tasks(orch: &Orch) -> Vec<Value> {
    items(orch.json(&["task", "list", "--json"]))
}

/// Every event, read in pages.
fn events(orch: &Orch) -> Vec<Value> {
    let text = orch.ok(&orch.home(), &["events", "--after", "0", "--json"]);
    match serde_json::from_str(&text) {
        Ok(value) => items(value),
        Err(_) => text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect(),
    }
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["kind"] == kind).count()
}

/// Between a run's beginning and its end no other run of the same task begins: nothing runs twice
/// at once, and nothing that began was begun anew.
fn judge_ledger(ledger: &str) {
    let mut at_work: HashMap<&str, &str> = HashMap::new();
    for line in ledger.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [what, task, run] = words[..] else { panic!("a torn line in the ledger: {line}") };
        match what {
            "begin" => assert_eq!(
                at_work.insert(task, run),
                None,
                "{task}: {run} began while another run was at work"
            ),
            _ => assert_eq!(at_work.remove(task), Some(run), "{task}: {run} ended out of turn"),
        }
    }
    assert!(at_work.is_empty(), "begun and never ended: {at_work:?}");
}

/// Every task's line is on `main` once, by one commit of its development.
fn judge_main(repository: &Repository, name: &str) {
    for number in 1..=TASKS {
        let key = format!("{}-{number}", name.to_uppercase());
        assert_eq!(repository.on_main(&format!("work-{key}.txt")).trim(), key);
        let path = format!("work-{key}.txt");
        let landed = git(
            &repository.origin,
            &["log", "--format=%H", "--diff-filter=A", "main", "--", &path],
        );
        assert_eq!(landed.lines().count(), 1, "{key} landed more than once");
    }
    assert!(!git(&repository.origin, &["ls-tree", "--name-only", "main"]).contains("broken"));
}

/// A deploy that a kill interrupted may be done again, but every task was deployed, in order.
fn judge_deploys(deploys: &str) {
    let mut tasks: Vec<&str> = deploys.lines().filter_map(|line| line.split(' ').next()).collect();
    tasks.dedup();
    tasks.sort_unstable();
    let before = tasks.len();
    tasks.dedup();
    assert_eq!((tasks.len(), before), (TASKS * REPOSITORIES.len(), tasks.len()), "{deploys}");
}

/// Tasks with even numbers went back from review once, those divisible by 3 from testing once (or
/// were mended by the review's return before), and no infrastructure fault sent anything back.
fn judge_bounces(events: &[Value]) {
    for name in REPOSITORIES {
        for number in 1..=TASKS {
            let key = format!("{}-{number}", name.to_uppercase());
            let expected = usize::from(number % 2 == 0 || number % 3 == 0);
            let found = events
                .iter()
                .filter(|event| event["kind"] == "task.bounced" && event["task"] == key.as_str())
                .count();
            assert_eq!(found, expected, "{key} went back {found} times");
        }
    }
}

fn nothing_left(orch: &Orch) {
    until("the worktrees to go", || {
        std::fs::read_dir(orch.home().join("worktrees")).unwrap().next().is_none().then_some(())
    });
    let home = orch.home().display().to_string();
    until("the supervisors to go", || {
        let alive = std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let Ok(line) = std::fs::read(entry.path().join("cmdline")) else { return false };
            let line = String::from_utf8_lossy(&line).into_owned();
            line.contains("run-supervisor") && line.contains(&home)
        });
        (!alive).then_some(())
    });
}
