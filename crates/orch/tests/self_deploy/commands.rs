//! `orch self` and the unit, without a build.

use std::path::Path;
use std::process::Command;

use orch_testkit::{Orch, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_orch");

/// Versions with the program under test in each: what differs is the name.
#[test]
fn installing_switching_and_going_back_by_hand() {
    let root = tempfile::tempdir().unwrap();
    let orch = Orch::new(PROGRAM, root.path());
    let run = |args: &[&str]| orch.run(root.path(), args);
    let code = |args: &[&str]| run(args).status.code();
    assert_eq!(code(&["launcher"]), Some(3), "nothing is installed");
    assert_eq!(code(&["self", "install", "/bin/true", "--name", "x"]), Some(1));
    let first = orch.json(&["self", "install", PROGRAM, "--name", "one", "--json"]);
    assert_eq!((&first["new"], &first["current"]), (&true.into(), &true.into()));
    let second = orch.json(&["self", "install", PROGRAM, "--name", "two", "--json"]);
    assert_eq!((&second["new"], &second["current"]), (&true.into(), &false.into()));
    let again = orch.json(&["self", "install", PROGRAM, "--name", "two", "--json"]);
    assert_eq!(again["new"], false);
    assert_eq!(code(&["self", "rollback"]), Some(3));
    assert_eq!(code(&["self", "switch", "three"]), Some(3));

    let mut launcher = orch.command(root.path()).arg("launcher").spawn().unwrap();
    until("the service", || run(&["status"]).status.success().then_some(()));
    orch.ok(root.path(), &["self", "switch", "tw"]);
    let status = orch.json(&["self", "status", "--json"]);
    assert_eq!((&status["current"], &status["previous"]), (&"two".into(), &"one".into()));
    assert_eq!(status["launcher"], launcher.id());
    orch.ok(root.path(), &["self", "rollback"]);
    let status = orch.json(&["self", "status", "--json"]);
    assert_eq!((&status["current"], &status["previous"]), (&"one".into(), &"two".into()));
    assert_eq!(status["switches"].as_array().unwrap().len(), 2);
    assert!(orch.ok(root.path(), &["self", "status"]).contains("current"));
    let pid = launcher.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(launcher.wait().unwrap().success());
    assert_eq!(code(&["status"]), Some(4), "the service ended with it");
}

/// The unit as it is shipped, but for the path of a program that is not installed here.
#[test]
fn the_unit_is_one_that_systemd_understands() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let unit = workspace.join("packaging/systemd/orchestrator.service");
    let text = std::fs::read_to_string(unit).unwrap();
    let installed = "/opt/orchestrator/current/orch";
    assert!(text.contains(&format!("ExecStart={installed} launcher")));
    assert!(text.contains("KillMode=process"));
    let root = tempfile::tempdir().unwrap();
    let copy = root.path().join("orchestrator.service");
    std::fs::write(&copy, text.replace(installed, PROGRAM)).unwrap();
    let output = Command::new("systemd-analyze").arg("verify").arg(&copy).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !told.contains("orchestrator.service"), "{told}");
}
