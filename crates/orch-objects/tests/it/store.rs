//! Objects are written, read, listed and deleted.

use orch_objects::{ArtifactName, Key, ObjectsError};

use super::support::{on_directory, run, with_both};

#[test]
fn what_is_put_is_read_listed_and_deleted_with_its_run_alone() {
    with_both(|objects| {
        let (mine, other) = (run(1), run(2));
        let name: ArtifactName = "06-adr/ADR-001-why.md".parse().unwrap();
        assert_eq!(objects.get(&Key::exit(&mine), 100).unwrap(), None);
        assert_eq!(objects.list(&mine).unwrap(), []);
        objects.put(&Key::exit(&mine), b"old".to_vec()).unwrap();
        objects.put(&Key::exit(&mine), b"{}".to_vec()).unwrap();
        objects.put(&Key::brief(&mine), Vec::new()).unwrap();
        objects.put(&Key::artifact(&mine, &name), b"because".to_vec()).unwrap();
        objects.put(&Key::exit(&other), b"other".to_vec()).unwrap();

        assert_eq!(objects.get(&Key::exit(&mine), 100).unwrap().as_deref(), Some(&b"{}"[..]));
        assert_eq!(objects.get(&Key::brief(&mine), 100).unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(objects.get(&Key::exit(&other), 3).unwrap().as_deref(), Some(&b"oth"[..]));
        let names = |stored: Vec<orch_objects::Stored>| {
            stored.into_iter().map(|one| (one.name, one.bytes)).collect::<Vec<_>>()
        };
        let expected = [("artifacts/06-adr/ADR-001-why.md", 7), ("brief.md", 0), ("exit.json", 2)]
            .map(|(name, bytes)| (name.to_owned(), bytes));
        assert_eq!(names(objects.list(&mine).unwrap()), expected);
        let artifacts = names(objects.list_artifacts(&mine).unwrap());
        assert_eq!(artifacts, [("06-adr/ADR-001-why.md".to_owned(), 7)]);

        assert_eq!(objects.delete_run(&mine).unwrap(), 3);
        assert_eq!(objects.delete_run(&mine).unwrap(), 0);
        assert_eq!(objects.list(&mine).unwrap(), []);
        assert_eq!(objects.size(&Key::exit(&other)).unwrap(), Some(5));
        objects.probe(&run(3)).unwrap();
    });
}

/// A missing parent is a mount that is missing: nothing is made in its place, and the store is
/// there as soon as the mount is.
#[test]
fn a_directory_that_is_not_mounted_is_missing_until_it_is_there() {
    let root = tempfile::tempdir().unwrap();
    let mount = root.path().join("mount");
    let objects = on_directory(&mount.join("objects"));
    let refused = objects.put(&Key::exit(&run(1)), b"{}".to_vec());
    assert!(matches!(refused, Err(ObjectsError::Missing { .. })), "{refused:?}");
    assert!(!mount.exists());
    std::fs::create_dir(&mount).unwrap();
    objects.put(&Key::exit(&run(1)), b"{}".to_vec()).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(mount.join("objects")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o700);
}
