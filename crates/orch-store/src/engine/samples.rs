//! Migrations as code: each earlier schema with what a service left in it, brought up to date, is
//! the schema that a new database begins with, and every row is still there and readable.

use orch_core::audit::audit;
use orch_testkit::postgres::Cluster;
use rusqlite::Connection;

use super::migrate::{MIGRATIONS, Migration, newest};
use super::{postgres, sqlite};
use crate::store::{Store, StoreOptions};

const SAMPLE: &str = include_str!("../../migrations/samples/0001.sql");

/// The data of the first version, in SQLite's words.
pub(crate) fn sample() -> String {
    words("INTEGER")
}

fn words(int: &str) -> String {
    SAMPLE.replace("{{int}}", int)
}

/// The steps up to each earlier version.
fn earlier() -> impl Iterator<Item = &'static [Migration]> {
    (1..MIGRATIONS.len()).map(|known| &MIGRATIONS[..known])
}

/// What a service finds in the sample, whatever has become of its schema since.
fn judge(store: &Store, from: i64) {
    let schema = store.schema_info().unwrap();
    assert_eq!((schema.version, schema.usable), (newest(MIGRATIONS), true), "from {from}");
    assert_eq!(store.integrity().unwrap(), Vec::<String>::new(), "from {from}");
    let state = store.snapshot().unwrap().into_state(StoreOptions::default().gate);
    assert_eq!((state.tasks.len(), state.jobs.len()), (5, 5), "from {from}");
    assert!(state.tasks.iter().all(|task| task.body == "With tests — and naïve input."));
    assert_eq!(audit(&state), vec![], "from {from}");
    assert_eq!(store.running(None).unwrap().len(), 1, "from {from}");
    assert_eq!(store.last_event_id().unwrap().0, 3, "from {from}");
}

#[test]
fn every_earlier_sqlite_database_becomes_a_new_one_with_all_that_it_held() {
    let schema = |connection: &Connection| -> Vec<String> {
        let sql = "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema \
                   ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let fresh = Connection::open_in_memory().unwrap();
    sqlite::migrate::migrate(&fresh, None, MIGRATIONS).unwrap();
    for known in earlier() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orch.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        sqlite::migrate::migrate(&old, Some(&path), known).unwrap();
        old.execute_batch(&words("INTEGER")).unwrap();
        drop(old);
        let store = Store::open(&path, StoreOptions::default()).unwrap();
        judge(&store, newest(known));
        drop(store);
        assert_eq!(schema(&Connection::open(&path).unwrap()), schema(&fresh));
    }
}

#[test]
fn every_earlier_postgres_database_becomes_a_new_one_with_all_that_it_held() {
    let cluster = Cluster::shared();
    let connect = |url: &str| postgres::Server::parse(url).unwrap().connect_checked().unwrap();
    let schema = |url: &str| -> Vec<String> {
        let sql = "SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' \
                   || is_nullable || ' ' || coalesce(column_default, '') \
                   FROM information_schema.columns WHERE table_schema = current_schema() \
                   UNION ALL SELECT 'index ' || indexdef FROM pg_indexes \
                   WHERE schemaname = current_schema() \
                   UNION ALL SELECT 'constraint ' || conrelid::regclass::text || ' ' \
                   || pg_get_constraintdef(oid) FROM pg_constraint \
                   WHERE connamespace = current_schema()::regnamespace \
                   UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger \
                   WHERE NOT tgisinternal ORDER BY 1";
        let rows = connect(url).client().query(sql, &[]).unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    };
    let fresh = cluster.database();
    postgres::migrate::migrate(&mut connect(&fresh), MIGRATIONS).unwrap();
    for known in earlier() {
        let url = cluster.database();
        let mut old = connect(&url);
        postgres::migrate::migrate(&mut old, known).unwrap();
        old.batch(&words("BIGINT")).unwrap();
        drop(old);
        judge(&Store::open_url(&url, StoreOptions::default()).unwrap(), newest(known));
        assert_eq!(schema(&url), schema(&fresh), "from {}", newest(known));
    }
}

const MORE: Migration = Migration {
    version: 1_001,
    name: "more",
    portable: "CREATE TABLE more (id {{id}}){{strict}};",
    sqlite: "",
    postgres: "",
    compatible_from: 1_001,
};

#[test]
fn a_step_that_fails_on_postgres_leaves_nothing_of_those_before_it() {
    let url = Cluster::shared().database();
    let mut connection = postgres::Server::parse(&url).unwrap().connect_checked().unwrap();
    postgres::migrate::migrate(&mut connection, MIGRATIONS).unwrap();
    let broken =
        Migration { version: 1_002, portable: "CREATE NONSENSE", compatible_from: 1_002, ..MORE };
    let steps: Vec<Migration> = MIGRATIONS.iter().chain(&[MORE, broken]).copied().collect();
    for failed in [
        postgres::migrate::migrate(&mut connection, &steps).map(drop),
        postgres::migrate::dry_run(&mut connection, &steps).map(drop),
    ] {
        assert!(failed.is_err());
        let store = Store::open_url(&url, StoreOptions::default()).unwrap();
        assert_eq!(store.schema_info().unwrap().version, newest(MIGRATIONS));
    }
    let steps: Vec<Migration> = MIGRATIONS.iter().chain(&[MORE]).copied().collect();
    let plan = postgres::migrate::dry_run(&mut connection, &steps).unwrap();
    assert_eq!(plan.pending, [(1_001, "more".to_owned())]);
    postgres::migrate::migrate(&mut connection, &steps).unwrap();
    let refused = Store::open_url(&url, StoreOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("use that program"), "{refused}");
}
