//! The machinery, on made-up further steps.

use std::path::PathBuf;

use super::*;
use crate::engine::migrate::MIGRATIONS;
use crate::engine::samples::sample;
use crate::engine::sqlite::{Place, open_writer};

const MORE: Migration = Migration {
    version: 1_001,
    name: "more",
    portable: "CREATE TABLE more (id {{id}}, n {{int}}){{strict}};",
    sqlite: "",
    postgres: "",
    compatible_from: 1_001,
};

const BROKEN: Migration = Migration {
    version: 1_002,
    name: "broken",
    portable: "CREATE TABLE half (id {{id}}){{strict}};",
    sqlite: "CREATE NONSENSE",
    postgres: "",
    compatible_from: 1_002,
};

fn schema(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare(
            "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1",
        )
        .unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn steps(more: &[Migration]) -> Vec<Migration> {
    MIGRATIONS.iter().chain(more).copied().collect()
}

#[test]
fn versions_have_no_gaps() {
    let versions: Vec<i64> = MIGRATIONS.iter().map(|step| step.version).collect();
    assert_eq!(versions, (1..=versions.len() as i64).collect::<Vec<_>>());
}

#[test]
fn an_upgraded_database_is_a_fresh_one_and_its_old_state_is_kept_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orch.db");
    let old = Connection::open(&path).unwrap();
    migrate(&old, Some(&path), MIGRATIONS).unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "an empty one needs no copy");
    let before = applied(&old).unwrap();
    assert!(before.iter().all(|step| step.program == Some(signature())), "{before:?}");
    migrate(&old, Some(&path), &steps(&[MORE])).unwrap();
    let fresh = Connection::open_in_memory().unwrap();
    migrate(&fresh, None, &steps(&[MORE])).unwrap();
    assert_eq!(schema(&old), schema(&fresh));
    let [copy] = <[PathBuf; 1]>::try_from(beside(dir.path(), "before-1001-")).unwrap();
    assert_eq!(applied(&Connection::open(copy).unwrap()).unwrap(), before);
}

#[test]
fn a_damaged_database_is_copied_and_brought_up_to_date_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orch.db");
    let old = Connection::open(&path).unwrap();
    migrate(&old, Some(&path), MIGRATIONS).unwrap();
    let edit = "PRAGMA ignore_check_constraints = ON; INSERT INTO repos \
                (name, key_prefix, next_number, remote, default_branch, created_at) \
                VALUES ('x', 'X', -1, 'x', 'x', 0); PRAGMA ignore_check_constraints = OFF";
    old.execute_batch(edit).unwrap();
    migrate(&old, Some(&path), &steps(&[MORE])).unwrap();
    assert_eq!(version_of(&old).unwrap(), 1_001);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// The steps before the failing one are undone too: what is left, the program from before can use.
#[test]
fn a_step_that_fails_leaves_nothing_of_those_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orch.db");
    let connection = Connection::open(&path).unwrap();
    migrate(&connection, Some(&path), MIGRATIONS).unwrap();
    let before = schema(&connection);
    let error = migrate(&connection, Some(&path), &steps(&[MORE, BROKEN])).unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error:?}");
    assert_eq!(schema(&connection), before);
    migrate(&connection, Some(&path), MIGRATIONS).unwrap();
    assert_eq!(version_of(&connection).unwrap(), newest(MIGRATIONS));
}

#[test]
fn a_newer_database_is_refused_by_name_of_program_and_copy_before_it_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orch.db");
    let connection = Connection::open(&path).unwrap();
    migrate(&connection, Some(&path), MIGRATIONS).unwrap();
    migrate(&connection, Some(&path), &steps(&[MORE])).unwrap();
    drop(connection);
    let before = std::fs::read(&path).unwrap();
    let place = Place::File(path.clone());
    let error = open_writer(&place, |found| refuse_newer(found, Some(&path), MIGRATIONS));
    let error = error.unwrap_err();
    let [copy] = <[PathBuf; 1]>::try_from(beside(dir.path(), "before-1001-")).unwrap();
    let known = newest(MIGRATIONS);
    assert!(
        matches!(&error, StoreError::TooNew { database: 1_001, supported, program, copy: Some(at) }
            if *supported == known && *program == Some(signature()) && *at == copy),
        "{error:?}"
    );
    let told =
        ["version 1001", &format!("up to {known}"), &signature(), &copy.display().to_string()]
            .map(str::to_owned);
    assert!(told.iter().all(|words| error.to_string().contains(words)), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no log was begun");
}

#[test]
fn a_newer_database_that_says_it_may_be_used_is_used() {
    let connection = Connection::open_in_memory().unwrap();
    let friendly = Migration { compatible_from: newest(MIGRATIONS), ..MORE };
    migrate(&connection, None, &steps(&[friendly])).unwrap();
    migrate(&connection, None, MIGRATIONS).unwrap();
    assert_eq!(version_of(&connection).unwrap(), 1_001);
}

#[test]
fn a_dry_run_tries_every_step_and_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orch.db");
    let nothing_yet = dry_run(&path, MIGRATIONS).unwrap();
    assert_eq!((nothing_yet.from, nothing_yet.pending.len()), (0, MIGRATIONS.len()));
    assert!(!path.exists());
    let connection = Connection::open(&path).unwrap();
    migrate(&connection, Some(&path), MIGRATIONS).unwrap();
    let before = schema(&connection);
    let plan = dry_run(&path, &steps(&[MORE])).unwrap();
    assert_eq!((plan.from, plan.to), (newest(MIGRATIONS), 1_001));
    assert_eq!(plan.pending, [(1_001, "more".to_owned())]);
    assert!(dry_run(&path, MIGRATIONS).unwrap().pending.is_empty());
    let error = dry_run(&path, &steps(&[MORE, BROKEN])).unwrap_err();
    assert!(matches!(error, StoreError::Engine { doing: "migrating", .. }), "{error:?}");
    assert_eq!(schema(&connection), before);
    assert_eq!(beside(dir.path(), ""), Vec::<PathBuf>::new());
}

/// A database at a newer version, and the copy from before.
fn newer() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("orch.db");
    let connection = Connection::open(&path).unwrap();
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    migrate(&connection, Some(&path), MIGRATIONS).unwrap();
    connection.execute_batch(&sample()).unwrap();
    migrate(&connection, Some(&path), &steps(&[MORE])).unwrap();
    (dir, path)
}

#[test]
fn the_way_back_loses_nothing_and_keeps_what_it_put_aside() {
    let (dir, path) = newer();
    let heard = "UPDATE workers SET last_seen = last_seen + 1";
    Connection::open(&path).unwrap().execute_batch(heard).unwrap();
    let copy = turn_back(&path, MIGRATIONS).unwrap();
    assert_eq!(copy, Some(beside(dir.path(), "before-1001-").remove(0)));
    let returned = Connection::open(&path).unwrap();
    assert_eq!(version_of(&returned).unwrap(), newest(MIGRATIONS));
    assert_eq!(turn_back(&path, MIGRATIONS).unwrap(), None, "once is enough");
    let aside = beside(dir.path(), "after-1001-").remove(0);
    assert_eq!(version_of(&Connection::open(aside).unwrap()).unwrap(), 1_001);
}

#[test]
fn the_way_back_is_closed_once_anything_was_recorded() {
    let recorded = [
        "INSERT INTO events (at, kind, message, data) VALUES (9, 'x', 'x', '{}')",
        "UPDATE jobs SET run_epoch = run_epoch + 1 WHERE status = 'running'",
        "INSERT INTO repos (name, key_prefix, remote, default_branch, created_at) \
         VALUES ('n', 'N', '/n', 'main', 0)",
    ];
    for sql in recorded {
        let (dir, path) = newer();
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let error = turn_back(&path, MIGRATIONS).unwrap_err();
        assert!(error.to_string().contains("recorded since"), "{sql}: {error}");
        assert_eq!(version_of(&Connection::open(&path).unwrap()).unwrap(), 1_001);
        assert!(beside(dir.path(), "after-").is_empty());
    }
    let (dir, path) = newer();
    std::fs::remove_file(beside(dir.path(), "before-").remove(0)).unwrap();
    let error = turn_back(&path, MIGRATIONS).unwrap_err();
    assert!(error.to_string().contains("no copy"), "{error}");
}

/// What stands beside the database under its name and that ending.
fn beside(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let start = format!("orch.db.{ending}");
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with(&start)).collect()
}
