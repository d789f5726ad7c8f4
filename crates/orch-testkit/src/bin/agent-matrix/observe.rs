//! One task of one program in one situation, under a service of its own.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use orch_testkit::agent_matrix::Observation;
use orch_testkit::provider::FakeProvider;
use orch_testkit::{Orch, Repository};
use serde_json::Value;

use crate::denied::{POLICY, denied};
use crate::expected::Expected;
use crate::programs::Program;
use crate::situations::{DENIED, Killed, Silence, Situation};

/// Given up after so long: what has not come to rest by then says so in its state.
const LONGEST: Duration = Duration::from_mins(6);
/// How often the task is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// Silences that are allowed, in seconds: the programs of the wider matrix start slowly.
const SHORT: u32 = 9;
const SLOW_SHORT: u32 = 30;
const LONG: u32 = 170;

const KEY: &str = "k";
const TASK: &str = "HELLO-1";

/// What does the work of the only stage.
const WORK: &str = "[[write said/{task}.txt|hello]]\n[[bash mkdir -p {artifacts} && printf -- \
                    '---\\nstatus: ready\\n---\\n' > {artifacts}/11-implementation.md]]\n\
                    [[say All is done.]]\n";

pub(crate) fn observe(
    orch: &Path,
    program: &Program,
    situation: &Situation,
    expected: &Expected,
) -> Observation {
    let root = place(orch);
    // Every program's own sandbox lets a tool write there.
    let signals = tempfile::tempdir().expect("there is a temporary folder");
    let provider = FakeProvider::start();
    let base = provider.base_url(situation.scenario, KEY);
    program.furnish(&root.path().join("home"), &base);
    let settings = settings(program, situation, expected, root.path());
    let files = [("orch.toml", settings.as_str()), ("hello.txt", "hello\n")];
    let repository = Repository::make(root.path(), "hello", &files);
    std::fs::write(root.path().join("policy.toml"), POLICY).expect("the folder is ours");
    let orch = program
        .environment(&base)
        .into_iter()
        .fold(Orch::new(orch, root.path()), |orch, (name, value)| orch.with(name, &value));
    orch.ok(&repository.checkout, &["init"]);
    let script = script(program, situation, signals.path());
    let body = root.path().join("body.md");
    std::fs::write(&body, script).expect("the folder is ours");
    let submit = || {
        let body = body.display().to_string();
        orch.ok(&repository.checkout, &["task", "add", "A task", "--body", &body]);
    };
    let (why, outcomes) = play(&orch, submit, signals.path(), situation, expected);
    let text = |key: &str| redact(why[key].as_str().unwrap_or_default(), root.path());
    Observation {
        program: program.name.clone(),
        version: program.cli.version.to_owned(),
        situation: situation.name.to_owned(),
        session: session(&provider, outcomes.len()),
        outcomes,
        state: text("state"),
        why: redact(&reason(&why), root.path()),
        next: text("next"),
        because: String::new(),
        requests: provider.requests(KEY),
    }
}

fn settings(program: &Program, situation: &Situation, expected: &Expected, root: &Path) -> String {
    let silence = match situation.silence {
        Silence::Long => LONG,
        Silence::Short if program.cli.in_ci => SHORT,
        Silence::Short => SLOW_SHORT,
    };
    let denied = denied(&program.name).filter(|_| situation.name == DENIED);
    let more = denied.map_or(situation.settings, |denied| denied.settings);
    let more = more.replace("{root}", &root.display().to_string());
    let wait = if expected.defers() { "1h" } else { "50ms" };
    format!(
        "[repository]\nname = \"hello\"\nkey_prefix = \"HELLO\"\n\
         [pipeline]\nstages = [\"development\"]\n{}\
         [budgets]\nbackoff_base = \"{wait}\"\nbackoff_cap = \"{wait}\"\ninfra = 1\n",
        program.settings(silence, &more)
    )
}

/// What the task's body tells the model to do.
fn script(program: &Program, situation: &Situation, signals: &Path) -> String {
    let denied = denied(&program.name).filter(|_| situation.name == DENIED);
    let first = denied.map_or(situation.first, |denied| denied.script);
    let work = if situation.works { WORK } else { "" };
    format!("{first}\n{work}")
        .replace("{begun}", &signals.join("begun").display().to_string())
        .replace("{go}", &signals.join("go").display().to_string())
}

/// Whether the model was told what an earlier run had been told.
fn session(provider: &FakeProvider, runs: usize) -> String {
    if runs < 2 {
        return "—".to_owned();
    }
    let asked = provider.recorded(KEY);
    let both = |body: &Value| body.to_string().matches("you are the developer").count() >= 2;
    if asked.iter().any(|request| both(&request.body)) { "goes on" } else { "a new one" }.to_owned()
}

/// A folder outside the temporary one, in which Codex takes no home.
fn place(orch: &Path) -> tempfile::TempDir {
    let built = orch.parent().expect("a program is in a folder");
    tempfile::tempdir_in(built).expect("the program was built there")
}

/// Runs the service until the task has come to rest; gives what `orch why` says and the outcomes.
fn play(
    orch: &Orch,
    submit: impl Fn(),
    signals: &Path,
    situation: &Situation,
    expected: &Expected,
) -> (Value, Vec<String>) {
    let mut service = orch.serve();
    submit();
    if let Some(killed) = situation.killed {
        let begun = signals.join("begun");
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
        std::fs::write(signals.join("go"), "").expect("the folder is ours");
    }
    let deadline = Instant::now() + LONGEST;
    while !rests(orch, expected) && Instant::now() < deadline {
        std::thread::sleep(LOOK);
    }
    let seen = (why(orch), outcomes(orch));
    drop(service);
    seen
}

/// Done, held, or waiting for longer than the observation lasts.
fn rests(orch: &Orch, expected: &Expected) -> bool {
    let last = || outcomes(orch).pop();
    match why(orch)["state"].as_str() {
        Some("done" | "held") => true,
        Some("deferred") if expected.defers() => last().is_some(),
        Some("deferred") => last().is_some_and(|last| last == "rate_limited"),
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
