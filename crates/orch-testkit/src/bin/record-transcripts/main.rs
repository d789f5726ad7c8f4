//! `record-transcripts DIR [PROGRAM[/SITUATION]…]`: runs real agent programs against the fake provider in every
//! situation and writes down what they print, as fixtures for those who read it.
//!
//! A transcript is `DIR/PROGRAM/SITUATION.jsonl`. Its first line says program, version, situation,
//! the exit (`null` where the program had to be killed), and how often the model was asked; each
//! other one is a line of standard output (`out`) or standard error (`err`). Paths, ids and times are
//! made the same for every recording.

mod claude;
mod codex;
mod gemini;
mod opencode;
mod qwen;
mod redact;
mod run;
mod situations;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use orch_testkit::agent_clis::{self, AgentCli};
use orch_testkit::provider::FakeProvider;
use serde_json::{Value, json};

use crate::run::Invocation;
use crate::situations::{SITUATIONS, Situation};

/// Programs at work at the same time.
const PARALLEL: usize = 3;

/// The programs of the wider matrix take so many times longer to start.
const SLOWER: u32 = 3;

/// How a program is invoked in a folder of its own.
type Invoke = fn(&AgentCli, &Setting<'_>) -> Invocation;

/// What an invocation depends on.
struct Setting<'a> {
    /// The program's own home, empty.
    home: &'a Path,
    /// The base URL, scenario and key included.
    base_url: &'a str,
    /// Goes on with this session.
    resume: Option<&'a str>,
}

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let Some(dir) = args.next() else {
        eprintln!("usage: record-transcripts DIR [PROGRAM[/SITUATION]…]");
        return ExitCode::from(2);
    };
    let wanted: Vec<String> = args.collect();
    let named = |program: &str, situation: &str| {
        let one = format!("{program}/{situation}");
        wanted.is_empty() || wanted.iter().any(|name| *name == program || *name == one)
    };
    let mut work = VecDeque::new();
    for cli in agent_clis::installed() {
        let Some(invoke) = invoke(cli.name) else { continue };
        let of_it = SITUATIONS.iter().filter(|situation| named(cli.name, situation.name));
        work.extend(of_it.map(|situation| (invoke, cli.clone(), situation)));
    }
    let (work, dir) = (Mutex::new(work), PathBuf::from(dir));
    let provider = FakeProvider::start();
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                loop {
                    let next = work.lock().expect("no thread panics with it").pop_front();
                    let Some((invoke, cli, situation)) = next else { break };
                    record(&provider, invoke, &cli, situation, &dir);
                }
            });
        }
    });
    ExitCode::SUCCESS
}

fn invoke(program: &str) -> Option<Invoke> {
    Some(match program {
        "claude" => claude::invocation,
        "codex" => codex::invocation,
        "gemini" => gemini::invocation,
        "opencode" => opencode::invocation,
        "qwen" => qwen::invocation,
        _ => return None,
    })
}

fn record(
    provider: &FakeProvider,
    invoke: Invoke,
    cli: &AgentCli,
    situation: &Situation,
    dir: &Path,
) {
    let root = place();
    let (home, work) = (root.path().join("home"), root.path().join("work"));
    std::fs::create_dir_all(&home).expect("a new folder can be written to");
    std::fs::create_dir_all(&work).expect("a new folder can be written to");
    // A repository of its own, or programs would name the one around it.
    orch_testkit::git(&work, &["init", "-q"]);
    let key = format!("{}-{}", cli.name, situation.name);
    let base_url = provider.base_url(situation.scenario, &key);
    let begin = Setting { home: &home, base_url: &base_url, resume: None };
    let limit = if cli.in_ci { situation.limit } else { situation.limit * SLOWER };
    let mut told = run::run(&invoke(cli, &begin), situation.prompt, &work, limit);
    if let Some(prompt) = situation.then {
        let session = session(&told.lines);
        let again = Setting { home: &home, base_url: &base_url, resume: session.as_deref() };
        told = run::run(&invoke(cli, &again), prompt, &work, limit);
    }
    let head = json!({"program": cli.name, "version": cli.version, "situation": situation.name,
        "exit": told.exit, "requests": provider.requests(&key)});
    let redactor = redact::Redactor::new(root.path());
    let lines = told.lines.iter().map(|line| redactor.redact(&line.to_string()));
    let text: String = std::iter::once(head.to_string()).chain(lines).map(|l| l + "\n").collect();
    let file = dir.join(cli.name).join(format!("{}.jsonl", situation.name));
    std::fs::create_dir_all(file.parent().expect("it was joined")).expect("DIR can be written to");
    std::fs::write(&file, text).expect("DIR can be written to");
    println!("{head}, {} lines", told.lines.len());
}

/// A folder outside the world-readable temporary one, which some programs refuse as a home.
fn place() -> tempfile::TempDir {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    tempfile::tempdir_in(target.canonicalize().expect("the program was built there"))
        .expect("the target folder can be written to")
}

/// The session that a program names on its output.
fn session(lines: &[Value]) -> Option<String> {
    lines.iter().find_map(|line| {
        let event: Value = serde_json::from_str(line["out"].as_str()?).ok()?;
        let named = ["session_id", "thread_id", "sessionID"];
        named.iter().find_map(|name| event[*name].as_str().map(ToOwned::to_owned))
    })
}
