//! Each step does what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use orch_agents::events::Patience;
use orch_agents::{AgentEvent, Usage, parse_line};

use crate::support::play;

#[test]
fn files_are_written_appended_patched_and_deleted() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("old"), "x").unwrap();
    let played = play(
        root.path(),
        &[
            "write = \"src/a.sh\"\ntext = \"\"\"\none\n\"\"\"\nmode = \"755\"",
            "append = \"src/a.sh\"\ntext = \"two\\n\"",
            "append = \"new\"\ntext = \"n\"",
            "patch = \"src/a.sh\"\nfind = \"two\"\nreplace = \"three\"",
            "patch = \"new\"\nfind = \"n\"\nreplace = \"\"",
            "delete = \"old\"",
            "artifact = \"06-adr/not-needed.md\"\ntext = \"a\"",
            "write = \"empty\"",
        ],
    );
    assert_eq!((played.code, played.err.as_str()), (0, ""));
    let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    assert_eq!(read("src/a.sh"), "one\nthree\n");
    assert_eq!(read("new"), "");
    assert_eq!(read("empty"), "");
    assert_eq!(read("docs/work-items/HELLO-1/06-adr/not-needed.md"), "a");
    assert!(!root.path().join("old").exists());
    let mode = fs::metadata(root.path().join("src/a.sh")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
}

#[test]
fn commands_run_in_the_worktree_and_their_failure_counts() {
    let root = tempfile::tempdir().unwrap();
    let played = play(
        root.path(),
        &[
            "run = \"echo ran > ran; pwd > where\"",
            "run = [\"sh\", \"-c\", \"exit 4\"]\nallow_failure = true",
            "run = [\"no-such-program-here\"]\nallow_failure = true",
            "run = \"exit 5\"",
            "write = \"never\"",
        ],
    );
    assert_eq!(played.code, 3);
    assert!(
        played.err.contains("the step on line 10 failed: \"sh\": exit status: 5"),
        "{}",
        played.err
    );
    assert!(played.err.contains("no-such-program-here"), "{}", played.err);
    let place = fs::read_to_string(root.path().join("where")).unwrap();
    assert_eq!(place.trim(), root.path().canonicalize().unwrap().to_str().unwrap());
    assert!(root.path().join("ran").exists() && !root.path().join("never").exists());
}

#[test]
fn an_agent_ends_with_its_exit_code_and_does_no_more() {
    let root = tempfile::tempdir().unwrap();
    let played = play(root.path(), &["sleep = \"1ms\"", "exit = 7", "write = \"never\""]);
    assert_eq!(played.code, 7);
    assert!(!root.path().join("never").exists());
    assert_eq!(play(root.path(), &[]).code, 0);
}

#[test]
fn what_it_prints_and_reports_is_read_back() {
    let root = tempfile::tempdir().unwrap();
    let played = play(
        root.path(),
        &[
            "print = \"working on {{ task }}\"",
            "eprint = \"careful\"",
            "usage = { input_tokens = 1_200, output_tokens = 34, cost_usd = 0.05 }",
            "usage = { cost_usd = 1 }",
            "rate_limited = \"1500ms\"",
        ],
    );
    assert_eq!((played.code, played.err.as_str()), (0, "careful\n"));
    let lines: Vec<&str> = played.out.lines().collect();
    assert_eq!(parse_line(lines[0]), AgentEvent::Text("working on HELLO-1".into()));
    assert_eq!(parse_line(lines[3]), AgentEvent::RateLimited(Patience::Seconds(2)));
    let sum = Usage::of_lines(lines);
    assert_eq!((sum.tokens.input, sum.tokens.output), (1200, 34));
    assert_eq!(sum.cost_micros, Some(1_050_000));
}

#[test]
fn a_patch_that_does_not_stand_exactly_once_fails() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "x x").unwrap();
    for (find, count) in [("x", 2), ("y", 0)] {
        let step = format!("patch = \"a\"\nfind = {find:?}\nreplace = \"z\"");
        let played = play(root.path(), &[&step]);
        assert_eq!(played.code, 3);
        assert!(played.err.contains(&format!("{count} times, not once")), "{}", played.err);
    }
    assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "x x");
}

#[test]
fn a_file_is_waited_for_within_a_limit() {
    let root = tempfile::tempdir().unwrap();
    let played = play(root.path(), &["wait_for_file = \"go\"\ntimeout = \"1ms\""]);
    assert_eq!(played.code, 3);
    assert!(played.err.contains("go did not come in 1ms"), "{}", played.err);
    let played = play(
        root.path(),
        &["run = \"(sleep 0.1; echo > go) > /dev/null 2>&1 &\"", "wait_for_file = \"go\""],
    );
    assert_eq!((played.code, played.err.as_str()), (0, ""));
}
