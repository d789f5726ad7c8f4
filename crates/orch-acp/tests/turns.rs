//! Turns with an agent that was written against the protocol's documents.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};

use orch_acp::{Ended, Plan, run};
use serde_json::{Value, json};

const AGENT: &str = env!("CARGO_BIN_EXE_acp-agent-fixture");

#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn turn(how: &str, prompt: &str, resume: Option<&str>) -> (Ended, Vec<Value>) {
    let plan = Plan {
        argv: vec![AGENT.to_owned(), how.to_owned()],
        directory: std::env::current_dir().unwrap(),
        resume: resume.map(ToOwned::to_owned),
        prompt: prompt.to_owned(),
    };
    play(&plan)
}

fn play(plan: &Plan) -> (Ended, Vec<Value>) {
    let told = Told::default();
    let ended = run(plan, told.clone());
    let text = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
    (ended, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn texts(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["update"]["content"]["text"].as_str()).collect()
}

#[test]
fn what_is_asked_for_is_granted_this_once_and_told() {
    let root = tempfile::tempdir().unwrap();
    let file = root.path().join("a.txt");
    let (ended, lines) = turn("", &format!("write {}", file.display()), None);
    assert_eq!(
        (ended, std::fs::read_to_string(&file).unwrap().as_str()),
        (Ended::Turn, "written\n")
    );
    let kinds: Vec<_> = lines.iter().map(|line| line["acp"].as_str().unwrap()).collect();
    let updates = ["update"; 3];
    assert_eq!(kinds[..3], ["session", "update", "permission"]);
    assert_eq!(kinds[3..], [&updates[..], &["result"]].concat());
    assert_eq!(lines[2]["granted"], true);
    assert_eq!(lines[3]["update"]["status"], "completed");
    assert_eq!(lines[5]["update"]["cost"]["amount"], 0.5);
    let result = lines.last().unwrap();
    assert_eq!(
        (&result["stop_reason"], &result["usage"]["inputTokens"]),
        (&json!("end_turn"), &json!(10))
    );
}

#[test]
fn what_cannot_be_granted_is_refused() {
    let (ended, lines) = turn("offers-nothing", "write a.txt", None);
    assert_eq!(ended, Ended::Turn);
    assert!(lines.iter().any(|line| line["granted"] == false), "{lines:?}");
    assert!(!Path::new("a.txt").exists());
}

#[test]
fn a_session_is_taken_up_where_the_agent_can_and_has_it() {
    for (how, wanted, session) in [
        ("resumes", "old-1", "old-1"),
        ("loads", "old-1", "old-1"),
        ("loads", "gone", "new-1"),
        ("resumes", "gone", "new-1"),
        ("", "old-1", "new-1"),
    ] {
        let (ended, lines) = turn(how, "go on", Some(wanted));
        assert_eq!((ended, &lines[0]["id"]), (Ended::Turn, &json!(session)), "{how} {wanted}");
        assert_eq!(texts(&lines), ["done"], "the past is told again: {how} {wanted}");
    }
}

#[test]
fn errors_and_refusals_are_told_as_they_are() {
    let (ended, lines) = turn("errs", "go", None);
    assert_eq!(ended, Ended::Failed);
    let error = lines.last().unwrap();
    assert_eq!((&error["acp"], &error["code"]), (&json!("error"), &json!(-32603)));
    assert!(error["message"].as_str().unwrap().contains("429"));
    let (ended, lines) = turn("refuses", "go", None);
    assert_eq!((ended, &lines.last().unwrap()["stop_reason"]), (Ended::Short, &json!("refusal")));
}

#[test]
fn an_agent_that_breaks_off_or_was_never_there_is_an_error() {
    for how in ["dies", "exits"] {
        let (ended, lines) = turn(how, "go", None);
        assert_eq!(
            (ended, &lines.last().unwrap()["acp"]),
            (Ended::Failed, &json!("error")),
            "{how}"
        );
    }
    let plan = Plan {
        argv: vec!["/no/such/agent".to_owned()],
        directory: "/".into(),
        resume: None,
        prompt: String::new(),
    };
    for argv in [plan.argv.clone(), Vec::new()] {
        let (ended, lines) = play(&Plan { argv, ..plan.clone() });
        assert_eq!(ended, Ended::Failed);
        assert!(lines[0]["message"].as_str().unwrap().contains("can't be started"), "{lines:?}");
    }
}

#[test]
fn what_no_client_knows_breaks_nothing() {
    let (ended, lines) = turn("babbles", "go", None);
    assert_eq!((ended, texts(&lines)), (Ended::Turn, vec!["done"]));
    let (ended, lines) = turn("novel", "go", None);
    assert_eq!((ended, texts(&lines)), (Ended::Turn, vec!["code -32601", "done"]));
}
