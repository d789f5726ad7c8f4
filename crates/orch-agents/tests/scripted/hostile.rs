//! Scripts that are none: each is refused with its line, the reason and the remedy.

use orch_agents::scripted::Script;

fn refused(script: &str) -> String {
    Script::parse(script).expect_err(script).to_string()
}

#[test]
fn a_malformed_script_is_refused_with_the_line() {
    let step = |lines: &str| format!("default_artifacts = true\n[[on]]\n[[on.step]]\n{lines}");
    let table = [
        ("nonsense = 1".to_owned(), "line 1: unknown key \"nonsense\" in the script; known are"),
        (
            "\n[[on]]\nrol = \"x\"".to_owned(),
            "line 3: unknown key \"rol\" in [[on]]; did you mean `role`?",
        ),
        ("[[on]]\ntask = 3".to_owned(), "line 2: `task` must be a text"),
        ("[[on]]\nattempt = \"many\"".to_owned(), "line 2: `attempt` must be an attempt from 1"),
        ("[[on]]\nattempt = 0".to_owned(), "line 2: `attempt` must be"),
        ("[[on]]\nattempt = -1".to_owned(), "line 2: `attempt` must be"),
        ("[[on]]\nattempt = \"99999999999+\"".to_owned(), "line 2: `attempt` must be"),
        ("[[on]]\nattempt = [1]".to_owned(), "line 2: `attempt` must be"),
        ("on = 3".to_owned(), "line 1: `on` must be a list of tables"),
        ("on = [3]".to_owned(), "line 1: `on` must be a list of tables"),
        ("[on]\ntask = \"x\"".to_owned(), "line 1: `on` must be a list of tables"),
        ("[[on]]\nstep = { exit = 1 }".to_owned(), "line 2: `step` must be a list of tables"),
        (
            "default_artifacts = \"yes\"".to_owned(),
            "line 1: `default_artifacts` must be true or false",
        ),
        ("a = 1\n\n[[on]".to_owned(), "line 3: "),
        ("a = 1\na = 2".to_owned(), "line 2: "),
        ("\0".to_owned(), "line 1: "),
        ("x = ".to_owned() + &"[".repeat(50_000), "line 1: "),
        (step("text = \"x\""), "line 3: the step does nothing; give it one of write, append"),
        (step("write = \"a\"\nexit = 1"), "line 3: the step has several actions (write, exit)"),
        (
            step("wrte = \"a\""),
            "line 4: unknown key \"wrte\" in [[on.step]]; did you mean `write`?",
        ),
        (step("delete = \"a\"\ntext = \"x\""), "line 3: `text` does not go with `delete`"),
        (step("print = \"a\"\nfind = \"x\""), "line 3: `find` does not go with `print`"),
        (step("sleep = \"soon\""), "line 4: `sleep` must be a duration"),
        (step("sleep = 5"), "line 4: `sleep` must be a text"),
        (step("patch = \"a\"\nreplace = \"b\""), "line 3: `patch` needs `find`"),
        (step("patch = \"a\"\nfind = \"\"\nreplace = \"b\""), "line 3: `patch` needs `find`"),
        (step("patch = \"a\"\nfind = \"b\""), "line 3: `patch` needs `replace`"),
        (step("write = \"a\"\nmode = \"999\""), "line 5: `mode` must be octal"),
        (step("write = \"a\"\nmode = \"4755\""), "line 5: `mode` must be octal"),
        (step("write = [\"a\"]"), "line 4: `write` must be a text"),
        (step("run = []"), "line 4: `run` must be a command"),
        (step("run = [\"\"]"), "line 4: `run` must be a command"),
        (step("run = \" \""), "line 4: `run` must be a command"),
        (step("run = [\"a\", 1]"), "line 4: `run` must be a command"),
        (step("exit = 256"), "line 4: `exit` must be an exit code from 0 to 255"),
        (step("exit = -1"), "line 4: `exit` must be"),
        (step("crash = false"), "line 4: `crash` must be true, or absent"),
        (step("hang = \"yes\""), "line 4: `hang` must be true or false"),
        (step("usage = 3"), "line 4: `usage` must be a table"),
        (step("usage = { input = 3 }"), "unknown key \"input\" in `usage`; known are"),
        (step("usage = { input_tokens = -3 }"), "line 4: `input_tokens` must be a whole number"),
        (step("usage = { cost_usd = nan }"), "line 4: `cost_usd` must be an amount"),
        (
            step("write = \"a\"\ntext = \"{{ tsk }}\""),
            "the name \"tsk\" is not known; did you mean `task`?",
        ),
        (step("write = \"a\"\ntext = \"${#list}\""), "set raw = true"),
        (step("write = \"a\"\ntext = \"\"\"\n\n{% if %}\"\"\""), "(line 2 of the text)"),
    ];
    for (script, expected) in &table {
        let message = refused(script);
        assert!(
            message.starts_with("line ") && message.contains(expected),
            "{script:.80?} gave {message}"
        );
    }
}

#[test]
fn a_script_of_hostile_size_is_refused_without_being_read() {
    let message = refused(&" ".repeat(2 * 1024 * 1024));
    assert!(message.contains("2097152 bytes; at most 1048576"), "{message}");
    let long = "[[on]]\n[[on.step]]\nexit = 1\n".repeat(30_000);
    assert_eq!(Script::parse(&long).unwrap().entries[29_999].line, 89_998);
    let message = refused(&format!("{} = 1", "k".repeat(100_000)));
    assert!(message.len() < 300, "{message}");
}
