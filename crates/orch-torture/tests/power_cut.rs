//! A slice of the power cut: a recorded load survives every cut, and a disk that lies does not.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A load that a slice can afford.
const LOAD: [&str; 6] = ["--threads", "3", "--steps", "120", "--scrambles", "1"];

/// False where nothing can be recorded: `.ci/run` installs strace, a newcomer may lack it.
fn strace() -> bool {
    let there = Command::new("strace").arg("-V").output().is_ok();
    if !there {
        eprintln!("left out: strace is not there; install the package `strace`");
    }
    there
}

fn power_cut(keep: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_orch-torture"))
        .args(["power-cut", "--json", "--keep"])
        .arg(keep)
        .args(LOAD)
        .args(args)
        .output()
        .unwrap()
}

fn figures(done: &Output, code: i32) -> Value {
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(code), "{said}");
    let mut figures: Value = serde_json::from_slice(&done.stdout).unwrap();
    figures.as_object_mut().unwrap().remove("seconds");
    figures
}

#[test]
fn nothing_acknowledged_is_lost_at_any_cut() {
    if !strace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let done = power_cut(&dir.path().join("broken"), &["--cuts", "120", "--seed", "7"]);
    let figures = figures(&done, 0);
    for harm in ["lost", "half_applied", "unlawful", "damaged", "stuck", "broken_images"] {
        assert_eq!(figures[harm], 0, "{figures}");
    }
    assert_eq!((&figures["cuts"], &figures["images"]), (&120.into(), &360.into()), "{figures}");
    // A replay that tears nothing and looks for nothing would find nothing.
    for work in ["acknowledged", "flushes", "checked", "kept_writes", "torn_writes"] {
        assert!(figures[work].as_u64().unwrap() > 100, "{work}: {figures}");
    }
    assert!(!dir.path().join("broken").exists());
}

#[test]
fn a_disk_that_ignores_flushes_is_caught_and_the_recording_shows_it_again() {
    if !strace() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let control = ["--cuts", "24", "--seed", "7", "--ignore-fsync"];
    let done = power_cut(dir.path(), &control);
    let found = figures(&done, 1);
    assert!(found["lost"].as_u64().unwrap() > 0, "{found}");

    let log = dir.path().join("strace.log");
    let again = [&control[..], &["--trace", log.to_str().unwrap()]].concat();
    assert_eq!(figures(&power_cut(dir.path(), &again), 1), found, "the same images once more");
}

#[test]
fn a_load_that_cannot_be_recorded_is_no_pass() {
    let dir = tempfile::tempdir().unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_orch-torture"))
        .args(["power-cut", "--cuts", "2"])
        .env("PATH", dir.path())
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("install the package `strace`"), "{said}");
}

#[test]
fn a_recording_that_is_not_there_is_no_pass() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("nothing.log");
    let done = power_cut(dir.path(), &["--trace", log.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(2));
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(said.contains("nothing.log"), "{said}");
}
