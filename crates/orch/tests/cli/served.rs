//! Commands against a running service.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::place::Place;

const AGENTLESS: &str = "\
[pipeline]
stages = [\"analysis\", \"development\", \"merge\"]
[agents.default]
adapter = \"command\"
command = [\"true\"]
";

/// A service that claims nothing; killed with the value.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(place: &Place) -> Self {
        let mut command =
            place.command(place.path(), &["serve", "--no-worker", "--bind", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit(' ').next().unwrap().to_owned();
        assert!(address.starts_with("http://127.0.0.1:"), "{line}");
        Self { child, address }
    }

    fn end(&mut self, signal: &str) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn key(place: &Place, root: &Path, args: &[&str]) -> String {
    let outcome = place.orch(root, &[&["task", "add"], args].concat()).exits(0);
    let key = outcome.stdout.trim_end_matches('\n').to_owned();
    assert!(!key.contains('\n'), "{}", outcome.all());
    key
}

#[test]
fn tasks_are_submitted_listed_shown_and_acted_on() {
    let place = Place::new();
    let root = place.repo("hello", &[("orch.toml", AGENTLESS)]);
    let mut served = Served::start(&place);
    place.orch(&root, &["init"]).exits(0);
    let json = place.orch(&root, &["init", "--json"]).exits(0).json();
    assert_eq!(json["registration"], "unchanged");

    let first = key(&place, &root, &["Say hello", "--body", "README", "--priority", "-3"]);
    let second = key(&place, &root.join(".git"), &["Say more"]);
    assert_eq!((first.as_str(), second.as_str()), ("HELLO-1", "HELLO-2"));

    let shown = place.orch(&root, &["task", "show", "HELLO-1", "--json"]).exits(0).json();
    assert_eq!((&shown["priority"], &shown["body"]), (&(-3).into(), &"x\n".into()));
    let listed = place.orch(&root, &["task", "list"]).exits(0).stdout;
    assert!(listed.contains("HELLO-1") && listed.contains("Say hello"), "{listed}");
    assert!(!listed.contains('\u{1b}'), "{listed:?}");
    let listed = place.orch(&root, &["task", "list", "--json", "--limit", "1"]).exits(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));

    let why = place.orch(&root, &["why", "HELLO-2"]).exits(0).stdout;
    assert!(why.contains("next:"), "{why}");
    for args in [&["queue"][..], &["status"], &["events"], &["task", "show", "HELLO-1"]] {
        let human = place.orch(&root, args).exits(0).stdout;
        assert!(human.contains("HELLO-1") || args == ["status"], "{args:?}\n{human}");
    }
    for args in [&["queue", "--json"][..], &["status", "--json"], &["why", "HELLO-1", "--json"]] {
        assert!(place.orch(&root, args).exits(0).json().is_object(), "{args:?}");
    }
    let events = place.orch(&root, &["events", "--json", "--task", "HELLO-1"]).exits(0).stdout;
    for line in events.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(event["task"], "HELLO-1");
    }
    assert!(events.contains("task.created"), "{events}");

    place.orch(&root, &["gate", "pause", "HELLO-1", "--reason", "lunch"]).exits(0);
    let queue = place.orch(&root, &["queue"]).exits(0).stdout;
    assert!(queue.contains("lunch"), "{queue}");
    place.orch(&root, &["task", "resume", "HELLO-1"]).exits(0);
    place.orch(&root, &["gate", "freeze", "hello"]).exits(0);
    place.orch(&root, &["gate", "unfreeze", "hello"]).exits(0);
    place.orch(&root, &["task", "logs", "HELLO-1"]).exits(0);
    place.orch(&root, &["task", "approve", "HELLO-1"]).exits(1);
    place.orch(&root, &["task", "cancel", "HELLO-1", "--reason", "no longer wanted"]).exits(0);
    place.orch(&root, &["task", "cancel", "HELLO-1"]).exits(1);
    for args in [
        &["why", "HELLO-9"][..],
        &["task", "show", "HELLO-9"],
        &["gate", "freeze", "nothing"],
        &["task", "add", "x", "--repo", "nothing"],
        &["task", "add", "x", "--body", "no-such-file"],
        &["task", "logs", "HELLO-1", "--run", "r-0000000000000"],
    ] {
        place.orch(&root, args).exits(3);
    }
    place.orch(&root, &["db", "check"]).exits(0);
    place.orch(&root, &["db", "backup", "copy.db"]).exits(0);
    place.orch(&root, &["db", "prune"]).exits(0);
    assert_eq!(served.end("-TERM"), Some(0));
}

#[test]
fn a_wait_ends_with_the_reason_when_the_task_is_cancelled() {
    let place = Place::new();
    let root = place.repo("hello", &[("orch.toml", AGENTLESS)]);
    place.orch(&root, &["init"]).exits(0);
    let _served = Served::start(&place);
    let mut waiting = place
        .command(&root, &["task", "add", "x", "--wait"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(waiting.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "HELLO-1\n");
    place.orch(&root, &["task", "cancel", "HELLO-1", "--reason", "not wanted"]).exits(0);
    let output = waiting.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("not wanted"), "{stderr}");
}

#[test]
fn a_second_service_is_refused_with_the_pid_of_the_first() {
    let place = Place::new();
    let mut served = Served::start(&place);
    let args = ["serve", "--bind", "127.0.0.1:0"];
    let outcome = place.orch(place.path(), &args).exits(1);
    assert!(outcome.stderr.contains(&served.child.id().to_string()), "{}", outcome.all());
    place.orch(place.path(), &["db", "migrate"]).exits(1);
    let port = served.address.trim_start_matches("http://").to_owned();
    let other = Place::new();
    let outcome = other.orch(other.path(), &["serve", "--bind", &port]).exits(1);
    assert!(outcome.stderr.contains("in use"), "{}", outcome.all());
    let status = place.orch(place.path(), &["doctor", "--json"]);
    assert!(status.stdout.contains(&served.address), "{}", status.all());
    assert_eq!(served.end("-INT"), Some(0));
    place.orch(place.path(), &["status"]).exits(4);
}

#[test]
fn an_address_open_to_others_is_refused() {
    let place = Place::new();
    let outcome = place.orch(place.path(), &["serve", "--bind", "0.0.0.0:0"]).exits(2);
    assert!(outcome.stderr.contains("ORCH_API_TOKEN"), "{}", outcome.all());
}
