//! The machinery, on made-up further steps.

use super::*;
use crate::engine::migrate::MIGRATIONS;

const MORE: Migration = Migration {
    version: 1_001,
    name: "more",
    portable: "CREATE TABLE more (id {{id}}, n {{int}}){{strict}};",
    sqlite: "",
    postgres: "",
};

const BROKEN: Migration = Migration {
    version: 1_002,
    name: "broken",
    portable: "CREATE TABLE half (id {{id}}){{strict}};",
    sqlite: "CREATE NONSENSE",
    postgres: "",
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
    migrate(&old, Some(&path), &steps(&[MORE])).unwrap();
    let fresh = Connection::open_in_memory().unwrap();
    migrate(&fresh, None, &steps(&[MORE])).unwrap();
    assert_eq!(schema(&old), schema(&fresh));
    let copy =
        Connection::open(dir.path().join(format!("orch.db.v{}.bak", newest(MIGRATIONS)))).unwrap();
    let before: Vec<_> =
        MIGRATIONS.iter().map(|step| (step.version, step.name.to_owned())).collect();
    assert_eq!(applied(&copy).unwrap(), before);
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
    assert_eq!(version(&old).unwrap(), 1_001);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn a_step_that_fails_leaves_nothing() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, None, &steps(&[MORE])).unwrap();
    let before = schema(&connection);
    let error = migrate(&connection, None, &steps(&[MORE, BROKEN])).unwrap_err();
    assert!(matches!(error, StoreError::Engine { .. }), "{error:?}");
    assert_eq!(schema(&connection), before);
}

#[test]
fn a_newer_database_is_refused_by_name_of_both_versions() {
    let connection = Connection::open_in_memory().unwrap();
    migrate(&connection, None, &steps(&[MORE])).unwrap();
    let before = schema(&connection);
    let error = migrate(&connection, None, MIGRATIONS).unwrap_err();
    let known = newest(MIGRATIONS);
    assert!(
        matches!(error, StoreError::TooNew { database: 1_001, supported } if supported == known)
    );
    let told = [String::from("version 1001"), format!("up to {known}")];
    assert!(told.iter().all(|words| error.to_string().contains(words)), "{error}");
    assert_eq!(schema(&connection), before);
}
