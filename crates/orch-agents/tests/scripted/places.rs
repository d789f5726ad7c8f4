//! A script writes nowhere but in the worktree.

use std::fs;
use std::os::unix::fs::symlink;

use orch_agents::scripted::ScriptContext;

use crate::support::{context, play, play_as, script};

#[test]
fn a_path_never_leaves_the_worktree() {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("x"), "kept").unwrap();
    for path in
        ["/etc/x", "../x", "a/../../x", "./a", "link/x", "file", "", ".git", "a/.GIT/hooks/x"]
    {
        for step in [
            format!("write = {path:?}\ntext = \"x\""),
            format!("append = {path:?}\ntext = \"x\""),
            format!("patch = {path:?}\nfind = \"kept\"\nreplace = \"x\""),
            format!("delete = {path:?}"),
            format!("wait_for_file = {path:?}\ntimeout = \"1ms\""),
        ] {
            let root = tempfile::tempdir().unwrap();
            symlink(outside.path(), root.path().join("link")).unwrap();
            symlink(outside.path().join("x"), root.path().join("file")).unwrap();
            let played = play(root.path(), &[&step]);
            assert_eq!(played.code, 3, "{step}");
            assert!(played.err.contains("the path "), "{step}: {}", played.err);
        }
    }
    assert_eq!(fs::read_to_string(outside.path().join("x")).unwrap(), "kept");
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn an_artifact_never_leaves_its_folder() {
    let root = tempfile::tempdir().unwrap();
    for path in ["/etc/x", "../x", "a/../../x", "", "{{ '..' }}/x"] {
        let played = play(root.path(), &[&format!("artifact = {path:?}\ntext = \"x\"")]);
        assert_eq!(played.code, 3, "{path}");
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
}

#[test]
fn a_linked_artifact_folder_is_refused_and_another_spelling_of_it_is_not() {
    let (root, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let artifact = script(&["artifact = \"a.md\"\ntext = \"x\""]);
    symlink(outside.path(), root.path().join("docs")).unwrap();
    assert_eq!(play_as(&context(root.path()), &artifact).code, 3);
    let elsewhere = ScriptContext {
        artifact_dir: outside.path().join("docs/work-items/HELLO-1"),
        ..context(root.path())
    };
    let played = play_as(&elsewhere, &artifact);
    assert!(played.err.contains("is not inside the worktree"), "{}", played.err);
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);

    fs::remove_file(root.path().join("docs")).unwrap();
    let alias = outside.path().join("alias");
    symlink(root.path(), &alias).unwrap();
    let spelt = ScriptContext {
        worktree: root.path().canonicalize().unwrap(),
        artifact_dir: alias.join("docs/work-items/HELLO-1"),
        ..context(root.path())
    };
    assert_eq!(play_as(&spelt, &artifact).code, 0);
    assert!(root.path().join("docs/work-items/HELLO-1/a.md").is_file());
}
