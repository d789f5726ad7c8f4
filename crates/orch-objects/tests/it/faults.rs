//! A server that fails: the error says what is wrong and holds no secret, nothing torn is seen,
//! and the same store works again when the server does.

use std::collections::BTreeMap;

use orch_objects::{CHUNK, Key, ObjectsError};
use orch_testkit::{Fault, S3Server};

use super::support::{bucket, on_server, run, with_secret};

#[test]
fn a_server_that_comes_later_is_used_by_the_same_store() {
    let root = tempfile::tempdir().unwrap();
    for fault in [Fault::Down, Fault::Error] {
        let server = S3Server::start_failing(root.path(), fault);
        let objects = on_server(&server);
        let failed = objects.put(&Key::exit(&run(1)), b"{}".to_vec());
        assert!(matches!(failed, Err(ObjectsError::Unavailable { .. })), "{fault:?}: {failed:?}");
        assert!(server.requests() <= 6, "{} requests for one call", server.requests());
        server.fail(Fault::None);
        objects.put(&Key::exit(&run(1)), b"{}".to_vec()).unwrap();
    }
}

#[test]
fn an_upload_cut_in_the_middle_leaves_the_old_object_whole() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let objects = on_server(&server);
    let key = Key::log_chunk(&run(1), 0);
    objects.put(&key, b"old\n".to_vec()).unwrap();
    server.fail(Fault::Cut);
    let new = vec![b'x'; CHUNK as usize];
    let cut = objects.put(&key, new.clone());
    assert!(matches!(cut, Err(ObjectsError::Unavailable { .. })), "{cut:?}");
    server.fail(Fault::None);
    assert_eq!(objects.get(&key, CHUNK).unwrap().as_deref(), Some(&b"old\n"[..]));
    objects.put(&key, new.clone()).unwrap();
    assert!(objects.get(&key, CHUNK).unwrap() == Some(new));
}

#[test]
fn wrong_credentials_are_told_as_such_and_without_secrets() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let denied = with_secret(&server, "not-the-secret").probe(&run(1)).unwrap_err();
    assert!(matches!(denied, ObjectsError::Denied { .. }), "{denied}");
    let told = denied.to_string();
    assert!(!told.contains("not-the-secret") && !told.contains(S3Server::ACCESS_KEY), "{told}");
    assert!(told.contains("SignatureDoesNotMatch"), "{told}");
}

#[test]
fn credentials_come_from_the_environment_where_the_settings_have_none() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start(root.path());
    let environment = BTreeMap::from([
        ("AWS_ACCESS_KEY_ID".to_owned(), S3Server::ACCESS_KEY.to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), S3Server::SECRET_KEY.to_owned()),
        // Another server is not taken from the environment.
        ("AWS_ENDPOINT_URL".to_owned(), "http://127.0.0.1:1".to_owned()),
    ]);
    let objects = bucket(&server, None, &environment);
    objects.probe(&run(1)).unwrap();
    assert!(!format!("{objects:?}").contains(S3Server::SECRET_KEY));
}

/// Waits for a server without an answer no longer than the limits allow, and no thread of the
/// caller's is lost over it.
#[test]
fn a_server_that_never_answers_is_given_up_on() {
    let root = tempfile::tempdir().unwrap();
    let server = S3Server::start_failing(root.path(), Fault::Hang);
    let objects = on_server(&server);
    let late = objects.size(&Key::exit(&run(1)));
    assert!(matches!(late, Err(ObjectsError::Unavailable { .. })), "{late:?}");
}
