//! Recorded runs of the real programs in every situation, each with the class of its end and what
//! follows. A transcript's first line says the situation, the others are its output in order.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use orch_agents::{EventReader, Source, Tally, descriptor};
use orch_core::money::SessionTotals;
use orch_core::outcome::{AgentEnd, Outcome};
use orch_core::process::{ExitCause, RunExit};
use orch_core::settings::Adapter;
use serde_json::Value;

struct Transcript {
    situation: String,
    exit: Option<i32>,
    tally: Tally,
    stderr: String,
}

fn read(path: &Path) -> Transcript {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let head = lines.next().unwrap();
    let adapter = Adapter::by_name(head["program"].as_str().unwrap()).unwrap();
    let mut reader = EventReader::new((descriptor(adapter).unwrap().mapper)());
    let (mut tally, mut stderr) = (Tally::default(), String::new());
    for line in lines {
        let (source, text) = match (line["out"].as_str(), line["err"].as_str()) {
            (Some(text), _) => (Source::Out, text),
            (None, text) => (Source::Err, text.unwrap()),
        };
        if source == Source::Err {
            stderr.push_str(text);
            stderr.push('\n');
        }
        reader.piece(source, text, false).for_each(|event| tally.add(Timestamp::UNIX_EPOCH, event));
    }
    let exit = head["exit"].as_i64().map(|code| i32::try_from(code).unwrap());
    Transcript { situation: head["situation"].as_str().unwrap().to_owned(), exit, tally, stderr }
}

/// The recorder ended those that did not end by themselves, as the stall limit would have.
fn end(adapter: Adapter, run: &Transcript) -> AgentEnd {
    let cause = match run.exit {
        Some(code) => ExitCause::Exited { code },
        None => ExitCause::Stalled { limit_ms: 300_000 },
    };
    let exit = RunExit {
        cause,
        started_at: Timestamp::UNIX_EPOCH,
        finished_at: Timestamp::UNIX_EPOCH,
        stdout_tail: String::new(),
        stderr_tail: run.stderr.clone(),
        lines: 0,
        survivors_killed: 0,
    };
    let demands = descriptor(adapter).unwrap().demands;
    AgentEnd::of(&exit, &run.tally.told, demands, run.tally.tool_calls > 0)
}

fn follows(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::SuiteRan { .. } => "the gate judges",
        Outcome::PermanentEnv { .. } => "held",
        Outcome::RateLimited { .. } => "again when it is over",
        Outcome::AgentStuck { .. } => "once more, fresh",
        _ => "again after a while",
    }
}

fn table(name: &str) -> String {
    let adapter = Adapter::by_name(name).unwrap();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/transcripts").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    let mut table = String::new();
    for path in paths {
        let run = read(&path);
        let end = end(adapter, &run);
        let outcome = end.outcome(false);
        let exit = run.exit.map_or("none".to_owned(), |code| code.to_string());
        let own = run.tally.consumed(SessionTotals::default()).tokens;
        writeln!(
            table,
            "{:<22} exit {exit:<4} {:<16} {:<15} {:<21} tools {} tokens {}/{} unknown {}",
            run.situation,
            end.word(),
            outcome.kind(),
            follows(&outcome),
            run.tally.tool_calls,
            own.input,
            own.output,
            run.tally.unknown,
        )
        .unwrap();
    }
    table
}

#[test]
fn every_recorded_end_of_claude_code_has_its_class() {
    insta::assert_snapshot!(table("claude"));
}

#[test]
fn every_recorded_end_of_codex_has_its_class() {
    insta::assert_snapshot!(table("codex"));
}

#[test]
fn every_recorded_end_of_gemini_cli_has_its_class() {
    insta::assert_snapshot!(table("gemini"));
}

#[test]
fn every_recorded_end_of_opencode_has_its_class() {
    insta::assert_snapshot!(table("opencode"));
}

#[test]
fn every_recorded_end_of_qwen_code_has_its_class() {
    insta::assert_snapshot!(table("qwen"));
}
