//! Scenarios as scripts: every `docs/reliability/scripts/NAME.txt` is performed, and what happened
//! must be what `NAME.golden` says. A new test is a new file; `UPDATE_GOLDEN=1` writes what
//! happened.

#![expect(clippy::unwrap_used, reason = "a broken test bed is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use orch_sim::script::Script;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability/scripts")
}

/// The stems of the files with that ending.
fn stems(ending: &str) -> BTreeSet<String> {
    fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_script_comes_to_its_golden_end() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let scripts = stems("txt");
    assert!(scripts.len() >= 10, "the scripts are gone: {scripts:?}");
    let mut wrong = Vec::new();
    for name in &scripts {
        let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
        let script = Script::parse(&text).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let (transcript, broken) = script.play(None).unwrap();
        let golden = folder().join(format!("{name}.golden"));
        if update {
            fs::write(&golden, &transcript).unwrap();
        }
        if let Some(broken) = broken {
            wrong.push(format!("{name} broke {}: {}\n{transcript}", broken.law, broken.what));
        } else if fs::read_to_string(&golden).unwrap_or_default() != transcript {
            let remedy = "if that is right, run it with UPDATE_GOLDEN=1";
            wrong.push(format!("{name} came to another end; {remedy}:\n{transcript}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_golden_file_is_left_without_its_script() {
    let left: Vec<_> = stems("golden").difference(&stems("txt")).cloned().collect();
    assert!(left.is_empty(), "without a script: {left:?}");
}
