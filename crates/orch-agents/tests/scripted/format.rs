//! What is written of the format is true.

use orch_agents::scripted::{FORMAT, Script};

use crate::support::{context, play_as};

#[test]
fn the_example_of_the_format_is_played() {
    let example = FORMAT.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let root = tempfile::tempdir().unwrap();
    let mut context = context(root.path());
    context.title = "Add subtraction".into();
    let played = play_as(&context, example);
    assert_eq!((played.code, played.err.as_str()), (0, ""));
    let written = std::fs::read_to_string(root.path().join("src/subtract.sh")).unwrap();
    assert!(written.starts_with("# Written for HELLO-1.\n"), "{written}");
}

#[test]
fn every_action_and_key_is_in_the_format() {
    let message = Script::parse("[[on]]\n[[on.step]]").unwrap_err().to_string();
    let actions: Vec<&str> = message.split("one of ").nth(1).unwrap().split(", ").collect();
    assert_eq!(actions.len(), 16, "{actions:?}");
    let keys = ["text", "mode", "raw", "find", "replace", "allow_failure", "timeout"];
    for name in actions.iter().chain(&keys) {
        let shown = [format!("`{name} = "), format!("`{name}`"), format!(", `{name}`")];
        assert!(shown.iter().any(|form| FORMAT.contains(form)), "{name} is not in the format");
    }
}
