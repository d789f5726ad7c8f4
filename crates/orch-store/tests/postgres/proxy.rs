//! A network that drops.

use orch_store::{Store, StoreOptions};
use orch_testkit::proxy::Proxy;
use orch_testkit::until;

use crate::Engine;
use crate::engine::{ONE, at, submission};

/// A store that reaches the engine's database through a proxy.
fn behind_proxy(engine: &Engine) -> (Store, Proxy) {
    let url = engine.url.as_deref().unwrap();
    let port = orch_testkit::postgres::Cluster::shared().port();
    let proxy = Proxy::before(port);
    let through = proxy.port();
    let url = url.replace(&format!(":{port}/"), &format!(":{through}/"));
    assert!(url.contains(&through.to_string()));
    (Store::open_url(&url, StoreOptions { gate: ONE }).unwrap(), proxy)
}

/// The reply to a commit is lost: the operation counts once, and its caller is told so.
#[test]
fn a_lost_reply_to_a_commit_is_looked_up() {
    let engine = Engine::postgres(ONE);
    let (store, proxy) = behind_proxy(&engine);
    for n in 1..=5 {
        proxy.swallow_commits(1);
        let task = store.submit(at(1), &submission("hello", 0), None).unwrap().task;
        assert_eq!(task.key.to_string(), format!("HELLO-{n}"), "submitted once, not again");
        assert_eq!(proxy.left_to_swallow(), 0, "a reply was swallowed");
    }
    assert_eq!(engine.store.snapshot().unwrap().tasks.len(), 5);
    assert_eq!(engine.violations(), []);
}

/// A node that is cut off is told so within its patience, and goes on when the network is back.
#[test]
fn a_cut_connection_is_an_error_that_passes() {
    let engine = Engine::postgres(ONE);
    let (store, proxy) = behind_proxy(&engine);
    store.submit(at(1), &submission("hello", 0), None).unwrap();
    proxy.cut_off(true);
    let error = store.submit(at(2), &submission("hello", 0), None).unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    let error = store.ping().unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    engine.submit();
    proxy.cut_off(false);
    until("the store to be connected again", || store.ping().ok());
    assert_eq!(store.snapshot().unwrap().tasks.len(), 2, "what failed was not stored");
    store.submit(at(3), &submission("hello", 0), None).unwrap();
    assert_eq!(engine.violations(), []);
}

/// Cut off for a moment, the operation waits it out and its caller sees nothing of it.
#[test]
fn a_short_cut_is_waited_out() {
    let engine = Engine::postgres(ONE);
    let (store, proxy) = behind_proxy(&engine);
    store.ping().unwrap();
    for n in 0..5 {
        // Every idle connection dies; the next operations find that out one by one.
        proxy.cut_off(true);
        proxy.cut_off(false);
        store.submit(at(n), &submission("hello", 0), None).unwrap();
    }
    assert_eq!(engine.store.snapshot().unwrap().tasks.len(), 5);
}
