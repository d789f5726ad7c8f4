//! The scripted agent at work in a folder of its own.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::fs;
use std::path::Path;

use orch_agents::scripted::{Script, ScriptContext, perform};

fn context(root: &Path, stage: &str, role: &str, attempt: u32) -> ScriptContext {
    ScriptContext {
        task: "HELLO-1".into(),
        title: "Say hello".into(),
        stage: stage.into(),
        role: role.into(),
        attempt,
        run_id: "r-1".into(),
        worktree: root.to_owned(),
        artifact_dir: root.join("docs/work-items/HELLO-1"),
    }
}

fn play(root: &Path, script: &str, attempt: u32) -> i32 {
    perform(&Script::parse(script).unwrap(), &context(root, "development", "developer", attempt))
}

fn steps(steps: &str) -> String {
    format!("[[on]]\nrole = \"developer\"\n{steps}")
}

#[test]
fn every_step_does_what_it_says() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("old"), "x").unwrap();
    let script = steps(
        r#"
[[on.step]]
write = "src/a"
text = """
one {{ task }} {{ attempt }}
"""
[[on.step]]
append = "src/a"
text = "two\n"
[[on.step]]
patch = "src/a"
find = "two"
replace = "three"
[[on.step]]
delete = "old"
[[on.step]]
artifact = "11-implementation.md"
text = "{{ title }} by {{ role }}"
[[on.step]]
run = "echo ran > ran"
[[on.step]]
run = ["false"]
allow_failure = true
[[on.step]]
sleep = "1ms"
[[on.step]]
exit = 7
[[on.step]]
write = "never"
"#,
    );
    assert_eq!(play(root.path(), &script, 2), 7);
    let read = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
    assert_eq!(read("src/a"), "one HELLO-1 2\nthree\n");
    assert_eq!(read("docs/work-items/HELLO-1/11-implementation.md"), "Say hello by developer");
    assert_eq!(read("ran"), "ran\n");
    assert!(!root.path().join("old").exists() && !root.path().join("never").exists());
}

#[test]
fn the_first_entry_that_matches_is_played() {
    let script = r#"
[[on]]
task = "Other*"
[[on.step]]
exit = 1
[[on]]
task = "Say*"
attempt = 1
[[on.step]]
exit = 2
[[on]]
task = "HELLO-1"
attempt = "2+"
[[on.step]]
exit = 3
"#;
    let root = tempfile::tempdir().unwrap();
    let codes: Vec<i32> =
        [1, 2, 9].iter().map(|attempt| play(root.path(), script, *attempt)).collect();
    assert_eq!(codes, [2, 3, 3]);
}

#[test]
fn without_a_match_the_standard_artifacts_are_written_where_that_is_wanted() {
    for (stage, name) in [
        ("analysis", "01-analysis.md"),
        ("analysis", "03-acceptance-criteria.md"),
        ("architecture", "06-adr/not-needed.md"),
        ("development", "11-implementation.md"),
        ("review", "12-review.md"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let script = Script::parse("default_artifacts = true").unwrap();
        let context = context(root.path(), stage, "any", 1);
        assert_eq!(perform(&script, &context), 0);
        assert!(context.artifact_dir.join(name).is_file(), "{stage} wrote no {name}");
        assert_eq!(perform(&Script::parse("").unwrap(), &context), 0);
    }
}

#[test]
fn a_step_never_leaves_the_worktree() {
    let root = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
    for path in ["/etc/x", "../x", "a/../../x", "link/x", ""] {
        for step in [
            format!("write = {path:?}\ntext = \"x\""),
            format!("delete = {path:?}"),
            format!("artifact = {path:?}"),
        ] {
            let script = steps(&format!("[[on.step]]\n{step}\n"));
            let code = play(root.path(), &script, 1);
            let harmless = path.starts_with("link") && step.starts_with("artifact");
            assert!(code == 3 || harmless, "{step} gave {code}");
        }
    }
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_patch_that_does_not_stand_exactly_once_fails() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("a"), "x x").unwrap();
    for find in ["x", "y"] {
        let script =
            steps(&format!("[[on.step]]\npatch = \"a\"\nfind = {find:?}\nreplace = \"z\"\n"));
        assert_eq!(play(root.path(), &script, 1), 3);
    }
    assert_eq!(fs::read_to_string(root.path().join("a")).unwrap(), "x x");
}

#[test]
fn hostile_scripts_are_refused_with_the_reason() {
    let table = [
        ("nonsense = 1", "unknown field `nonsense`"),
        ("[[on]]\nrol = \"x\"", "unknown field `rol`"),
        ("[[on]]\nattempt = \"many\"", "attempt \"many\" is not a number"),
        ("[[on]]\nattempt = -1", "attempt"),
        ("[[on]]\n[[on.step]]\ntext = \"x\"", "has no action, or more than one"),
        ("[[on]]\n[[on.step]]\nwrite = \"a\"\nexit = 1", "has no action, or more than one"),
        ("[[on]]\n[[on.step]]\nsleep = \"soon\"", "\"soon\" is not a duration"),
        ("on = 3", "invalid type"),
        ("[[on]", "TOML parse error"),
        ("\0", "TOML parse error"),
    ];
    for (script, expected) in table {
        let error = Script::parse(script).unwrap_err().to_string();
        assert!(error.contains(expected), "{script:?} gave {error}");
    }
}
