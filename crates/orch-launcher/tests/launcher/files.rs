//! Installing: whole or not at all.

use std::fs;

use jiff::Timestamp;
use orch_launcher::{Installed, LauncherError, Version, stage};

use crate::bed::{Bed, name};

fn version(digit: char) -> Version {
    let says = "orch 0.1.0".to_owned();
    Version { name: name(digit), revision: None, says, installed_at: Timestamp::now() }
}

/// Entries of the folder of versions, the unfinished ones too.
fn entries(bed: &Bed) -> usize {
    fs::read_dir(bed.prefix.path().join("versions")).unwrap().count()
}

#[test]
fn a_version_never_changes_once_it_is_there() {
    let bed = Bed::new();
    let program = bed.root.path().join("program");
    fs::write(&program, "first").unwrap();
    let first = stage(&bed.prefix, &program).unwrap().install(version('b')).unwrap();
    assert!(matches!(first, Installed::New(_)));
    fs::write(&program, "second").unwrap();
    let again = stage(&bed.prefix, &program).unwrap().install(version('b')).unwrap();
    assert!(matches!(&again, Installed::Before(there) if there == first.version()));
    assert_eq!(fs::read_to_string(bed.prefix.program(&name('b'))).unwrap(), "first");
    assert_eq!(entries(&bed), 2);
}

#[test]
fn what_is_no_program_and_what_was_cut_off_leaves_nothing() {
    let bed = Bed::new();
    let empty = bed.root.path().join("empty");
    fs::write(&empty, "").unwrap();
    for nothing in [empty.as_path(), bed.root.path(), std::path::Path::new("/no/such/program")] {
        assert!(matches!(stage(&bed.prefix, nothing), Err(LauncherError::Io { .. })));
        assert_eq!(entries(&bed), 1);
    }
    // A power cut in the middle of an installation.
    let staging = bed.prefix.path().join("versions/.staging-7");
    fs::create_dir(&staging).unwrap();
    fs::write(staging.join("orch"), "half").unwrap();
    assert_eq!(bed.prefix.versions().len(), 1, "it is no version");
    let program = bed.root.path().join("program");
    fs::write(&program, "whole").unwrap();
    drop(stage(&bed.prefix, &program).unwrap());
    assert_eq!(entries(&bed), 1);
}

/// A disk that fills up in the middle, as a limit on the size of files makes it.
#[test]
fn a_full_disk_leaves_the_versions_as_they_were() {
    let bed = Bed::new();
    let shell = "trap '' XFSZ; ulimit -f 8; exec \"$0\" stage \"$1\" \"$0\"";
    let output = std::process::Command::new("sh")
        .args(["-c", shell, env!("CARGO_BIN_EXE_service-fixture")])
        .arg(bed.prefix.path())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && told.contains("make room"), "{output:?}");
    assert_eq!(entries(&bed), 1);
    assert_eq!(bed.prefix.current(), Some(name('a')));
}
