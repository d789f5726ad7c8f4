//! A database that may only be read.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::words::{child, claim, file, fresh, open, place, said, submit, with_a_file_system};

/// Takes the right to write away, also from the superuser.
fn mortal() -> Vec<&'static str> {
    if rustix::process::geteuid().is_root() {
        vec!["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    } else {
        vec!["env"]
    }
}

#[test]
fn a_file_or_a_folder_without_the_right_to_write() {
    let dir = tempfile::tempdir().unwrap();
    drop(fresh(dir.path()));
    child(&mortal(), "read_only::without_the_right", dir.path());
    let store = open(dir.path()).unwrap();
    submit(&store).unwrap();
}

#[test]
#[ignore = "a child of the test above"]
fn without_the_right() {
    let Some(dir) = place() else { return };
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let file = file(&dir);
    for (path, without, with) in [(&file, 0o400, 0o600), (&dir, 0o500, 0o700)] {
        mode(path, without);
        let error = said(&open(&dir).unwrap_err());
        assert!(error.contains("make the database and its folder writable"), "{error}");
        mode(path, with);
        submit(&open(&dir).unwrap()).unwrap();
    }
}

#[test]
fn a_file_system_that_turns_read_only() {
    let dir = tempfile::tempdir().unwrap();
    with_a_file_system("size=16m", "read_only::in_the_middle", dir.path());
}

#[test]
#[ignore = "a child of the test above"]
fn in_the_middle() {
    let Some(dir) = place() else { return };
    let store = fresh(&dir);
    let key = submit(&store).unwrap();
    drop(store);
    remount(&dir, "ro");
    let error = said(&open(&dir).unwrap_err());
    assert!(error.contains("Read-only file system"), "{error}");
    assert!(error.contains("make the database and its folder writable"), "{error}");
    remount(&dir, "rw");
    let store = open(&dir).unwrap();
    assert_eq!(claim(&store).unwrap().unwrap().task.key, key);
}

fn remount(dir: &Path, how: &str) {
    let option = format!("remount,{how}");
    let done = std::process::Command::new("mount").args(["-o", &option]).arg(dir).status();
    assert!(done.unwrap().success(), "remount {how}");
}
