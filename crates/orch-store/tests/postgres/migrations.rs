//! Nodes that start at the same time, and addresses that lead nowhere.

use orch_store::{DatabaseKind, Store, StoreError, StoreOptions};
use orch_testkit::postgres::Cluster;

/// One migrates, the others wait for it and find it done.
#[test]
fn many_nodes_may_start_at_once() {
    let url = Cluster::shared().database();
    let stores: Vec<Store> = std::thread::scope(|scope| {
        let start = || Store::open_url(&url, StoreOptions::default()).unwrap();
        let starting: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
        starting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for store in &stores {
        let schema = store.schema_info().unwrap();
        assert_eq!(schema.version, schema.supported);
        assert_eq!(store.kind(), DatabaseKind::Postgres);
        assert_eq!(store.integrity().unwrap(), Vec::<String>::new());
    }
}

#[test]
fn an_address_that_will_not_do_is_refused_without_its_password() {
    let nobody_there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody_there.local_addr().unwrap().port();
    drop(nobody_there);
    for url in [
        format!("postgres://orch:hunter2@127.0.0.1:{port}/orch"),
        "postgres://orch:hunter2@127.0.0.1/orch?sslmode=require".to_owned(),
        "postgres://orch:hunter2@127.0.0.1/orch?nonsense=1".to_owned(),
        "postgres://orch:hunter2@:x:y/".to_owned(),
        "mysql://orch:hunter2@127.0.0.1/orch".to_owned(),
        "sqlite".to_owned(),
    ] {
        let error = Store::open_url(&url, StoreOptions::default()).unwrap_err();
        let mut told = format!("{error:?}");
        let mut cause: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = cause {
            told.push_str(&error.to_string());
            cause = error.source();
        }
        assert!(!told.contains("hunter2"), "{url}: {told}");
        assert!(
            matches!(error, StoreError::Invalid { .. } | StoreError::Engine { .. }),
            "{url}: {error:?}"
        );
    }
}
