//! The command line itself: help, completions, man page, exit codes of wrong use.

use std::fs;
use std::path::Path;

use crate::place::Place;

/// Every command with its help; the snapshot is a file so that a change of the contract's surface
/// is seen in review.
#[test]
fn help_of_every_command() {
    let place = Place::new();
    let mut pages = Vec::new();
    let mut todo = vec![Vec::<String>::new()];
    while let Some(path) = todo.pop() {
        let mut args: Vec<&str> = path.iter().map(String::as_str).collect();
        args.push("--help");
        let help = place.orch(place.path(), &args).exits(0);
        assert_eq!(help.stderr, "");
        pages.push(format!("$ orch {}\n{}\n", args.join(" "), help.stdout));
        for name in subcommands(&help.stdout).into_iter().rev() {
            let mut deeper = path.clone();
            deeper.push(name);
            todo.push(deeper);
        }
    }
    let text = pages.concat();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/help.txt");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|v| v == "always") {
        fs::write(&kept, &text).unwrap();
    }
    let expected = fs::read_to_string(&kept).unwrap_or_default();
    assert!(
        text == expected,
        "the help changed; look at it, then run with INSTA_UPDATE=always:\n{text}"
    );
}

fn subcommands(help: &str) -> Vec<String> {
    help.lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect()
}

#[test]
fn wrong_use_is_2_with_a_remedy_on_stderr() {
    let place = Place::new();
    let table: &[(&[&str], &str)] = &[
        (&["qeue"], "queue"),
        (&["task", "shw"], "show"),
        (&["why"], "<KEY>"),
        (&["why", "not a key"], "ORCH-126"),
        (&["task", "add", ""], "title"),
        (&["check-gate", "testing"], "--dir"),
        (&["completions", "tcsh"], "possible values"),
        (&["queue", "--jsn"], "--json"),
    ];
    for (args, told) in table {
        let outcome = place.orch(place.path(), args).exits(2);
        assert!(outcome.stderr.contains(told), "{args:?}\n{}", outcome.all());
        assert_eq!(outcome.stdout, "", "{args:?}");
    }
}

#[test]
fn without_a_service_every_question_is_4_and_says_how_to_start_one() {
    let place = Place::new();
    let table: &[&[&str]] = &[
        &["queue"],
        &["status"],
        &["events"],
        &["why", "A-1"],
        &["task", "list"],
        &["task", "show", "A-1"],
        &["task", "logs", "A-1"],
        &["task", "cancel", "A-1"],
        &["gate", "pause", "A-1"],
        &["gate", "freeze", "hello"],
        &["task", "add", "x", "--repo", "hello"],
    ];
    for args in table {
        let outcome = place.orch(place.path(), args).exits(4);
        assert!(outcome.stderr.contains("orch serve"), "{args:?}\n{}", outcome.all());
        assert!(outcome.stderr.contains("127.0.0.1:9"), "{args:?}\n{}", outcome.all());
    }
}

#[test]
fn completions_and_man_page_name_the_commands() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = place.orch(place.path(), &["completions", shell]).exits(0).stdout;
        assert!(script.contains("check-gate"), "{shell}");
        assert!(!script.contains("unwrap"), "{shell}");
    }
    let page = place.orch(place.path(), &["man"]).exits(0).stdout;
    assert!(page.contains(".TH orch 1") && page.contains("check\\-gate"), "{page}");
    let page = place.orch(place.path(), &["man", "task", "add"]).exits(0).stdout;
    assert!(page.contains("orch\\-task\\-add"), "{page}");
    place.orch(place.path(), &["man", "nothing"]).exits(3);
}

#[test]
fn without_any_home_the_remedy_is_named() {
    let place = Place::new();
    let mut command = place.command(place.path(), &["queue"]);
    command.env_remove("HOME").env_remove("ORCH_HOME");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("ORCH_HOME"), "{stderr}");
}
