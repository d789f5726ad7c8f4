//! One task of one program in one situation, under a service of its own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use orch_testkit::agent_matrix::Observation;
use orch_testkit::provider::FakeProvider;
use orch_testkit::{Orch, Repository};
use serde_json::Value;

use crate::programs::Program;
use crate::situations::{Killed, Situation};

/// Given up after so long: what has not come to rest by then says so in its state.
const LONGEST: Duration = Duration::from_mins(10);
/// How often the task is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// Silence that is allowed, in seconds: the programs of the wider matrix start slowly.
const STALL: u32 = 12;
const SLOW_STALL: u32 = 45;

const KEY: &str = "k";
const TASK: &str = "HELLO-1";

/// What does the work of the only stage.
const WORK: &str = "[[write said/{task}.txt|hello]]\n[[bash mkdir -p {artifacts} && printf -- \
                    '---\\nstatus: ready\\n---\\n' > {artifacts}/11-implementation.md]]\n\
                    [[say All is done.]]\n";

pub(crate) fn observe(orch: &Path, program: &Program, situation: &Situation) -> Observation {
    let root = place(orch);
    let provider = FakeProvider::start();
    let base = provider.base_url(situation.scenario, KEY);
    program.furnish(&root.path().join("home"), &base);
    let stall = if program.cli.in_ci { STALL } else { SLOW_STALL };
    let settings = format!(
        "[repository]\nname = \"hello\"\nkey_prefix = \"HELLO\"\n\
         [pipeline]\nstages = [\"development\"]\n{}\
         [budgets]\nbackoff_base = \"50ms\"\nbackoff_cap = \"100ms\"\ninfra = 1\n",
        program.settings(stall, situation.settings)
    );
    let files = [("orch.toml", settings.as_str()), ("hello.txt", "hello\n")];
    let repository = Repository::make(root.path(), "hello", &files);
    let orch = program
        .environment(&base)
        .into_iter()
        .fold(Orch::new(orch, root.path()), |orch, (name, value)| orch.with(name, &value));
    orch.ok(&repository.checkout, &["init"]);
    let (why, outcomes) = play(&orch, &repository, root.path(), situation);
    let text = |key: &str| redact(why[key].as_str().unwrap_or_default(), root.path());
    Observation {
        program: program.name.clone(),
        version: program.cli.version.to_owned(),
        situation: situation.name.to_owned(),
        outcomes,
        state: text("state"),
        why: redact(&reason(&why), root.path()),
        next: text("next"),
        requests: provider.requests(KEY),
    }
}

/// A folder outside the temporary one, in which Codex takes no home.
fn place(orch: &Path) -> tempfile::TempDir {
    let built = orch.parent().expect("a program is in a folder");
    tempfile::tempdir_in(built).expect("the program was built there")
}

fn submit(orch: &Orch, repository: &Repository, root: &Path, situation: &Situation) {
    let work = if situation.works { WORK } else { "" };
    let script = format!("{}\n{work}", situation.first)
        .replace("{begun}", &root.join("begun").display().to_string())
        .replace("{go}", &root.join("go").display().to_string());
    let body = root.join("body.md");
    std::fs::write(&body, script).expect("the folder is ours");
    let body = body.display().to_string();
    orch.ok(&repository.checkout, &["task", "add", "A task", "--body", &body]);
}

/// Runs the service until the task has come to rest; gives what `orch why` says and the outcomes.
fn play(
    orch: &Orch,
    repository: &Repository,
    root: &Path,
    situation: &Situation,
) -> (Value, Vec<String>) {
    let mut service = orch.serve();
    submit(orch, repository, root, situation);
    if let Some(killed) = situation.killed {
        let begun = root.join("begun");
        let deadline = Instant::now() + LONGEST;
        while !begun.exists() && Instant::now() < deadline {
            std::thread::sleep(LOOK);
        }
        match killed {
            Killed::Service => {
                service.kill();
                service = orch.serve();
            }
            Killed::Supervisor => kill_supervisor(orch),
        }
        std::fs::write(root.join("go"), "").expect("the folder is ours");
    }
    let deadline = Instant::now() + LONGEST;
    while !rests(orch) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    let seen = (why(orch), outcomes(orch));
    drop(service);
    seen
}

/// Done, held, or waiting for a rate limit to pass.
fn rests(orch: &Orch) -> bool {
    match why(orch)["state"].as_str() {
        Some("done" | "held") => true,
        Some("deferred") => outcomes(orch).last().is_some_and(|last| last == "rate_limited"),
        _ => false,
    }
}

fn why(orch: &Orch) -> Value {
    orch.json(&["why", TASK, "--json"])
}

/// The nearest cause, where there is one.
fn reason(why: &Value) -> String {
    let first = why["reasons"].as_array().and_then(|reasons| reasons.first());
    first.and_then(Value::as_str).or(why["headline"].as_str()).unwrap_or_default().to_owned()
}

fn runs(orch: &Orch) -> Vec<Value> {
    let task = orch.json(&["task", "show", TASK, "--json"]);
    task["runs"].as_array().cloned().unwrap_or_default()
}

fn outcomes(orch: &Orch) -> Vec<String> {
    let word = |run: &Value| run["outcome"].as_str().map(ToOwned::to_owned);
    runs(orch).iter().filter_map(word).collect()
}

fn kill_supervisor(orch: &Orch) {
    let pid = runs(orch).last().and_then(|run| run["pid"].as_u64());
    if let Some(pid) = pid {
        let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
        drop(killed);
    }
}

/// Without what differs each time: folders, ports, times.
fn redact(text: &str, root: &Path) -> String {
    let text = text.replace(&root.display().to_string(), "…");
    let port = regex_lite::Regex::new(r"127\.0\.0\.1:\d+").expect("it is a constant");
    let time = regex_lite::Regex::new(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?( UTC)?")
        .expect("it is a constant");
    time.replace_all(&port.replace_all(&text, "127.0.0.1"), "…").into_owned()
}
