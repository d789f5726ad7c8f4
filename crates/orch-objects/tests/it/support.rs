//! Both kinds of store, each in a directory of its own.

use std::collections::BTreeMap;
use std::path::Path;

use orch_core::ids::RunId;
use orch_core::settings::{Credentials, ObjectStore, S3Bucket, Secret};
use orch_objects::Objects;
use orch_testkit::S3Server;
use tempfile::TempDir;

/// A run that these tests tell of.
pub fn run(number: u64) -> RunId {
    RunId::from_parts(1_700_000_000_000, number)
}

/// A store on a directory.
pub fn on_directory(path: &Path) -> Objects {
    let settings = ObjectStore::Directory(path.to_str().unwrap().to_owned());
    Objects::new(&settings, &BTreeMap::new()).unwrap()
}

/// A store on a server, known by the right key.
pub fn on_server(server: &S3Server) -> Objects {
    with_secret(server, S3Server::SECRET_KEY)
}

/// A store on a server, known by this secret.
pub fn with_secret(server: &S3Server, secret: &str) -> Objects {
    let credentials = Credentials {
        access_key_id: Secret::new(S3Server::ACCESS_KEY),
        secret_access_key: Secret::new(secret),
    };
    bucket(server, Some(credentials), &BTreeMap::new())
}

/// A store on a server's bucket.
pub fn bucket(
    server: &S3Server,
    credentials: Option<Credentials>,
    environment: &BTreeMap<String, String>,
) -> Objects {
    let settings = ObjectStore::S3(S3Bucket {
        bucket: S3Server::BUCKET.to_owned(),
        prefix: "team/a".to_owned(),
        endpoint: Some(server.endpoint()),
        region: None,
        credentials,
        plain_http: true,
    });
    Objects::new(&settings, environment).unwrap()
}

/// Does the same with both kinds.
pub fn with_both(test: impl Fn(&Objects)) {
    let root = TempDir::new().unwrap();
    test(&on_directory(&root.path().join("objects")));
    let server = S3Server::start(&root.path().join("server"));
    test(&on_server(&server));
}
