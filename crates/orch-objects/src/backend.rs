//! Makes the library's store from the settings.

use std::collections::BTreeMap;
use std::path::Path as FsPath;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::{BackoffConfig, ClientOptions, ObjectStore as Store, RetryConfig};
use orch_core::settings::{ObjectStore, S3Bucket, Secret};

use crate::error::{ObjectsError, sorted};

/// How long a server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one request may take; an object is a quarter of a mebibyte, artifacts up to one.
const REQUEST: Duration = Duration::from_secs(10);
/// Tries after the first one fails in a passing way.
const RETRIES: usize = 2;
/// From the first try to the last; shorter than [`REQUEST`], so that a server that does not answer
/// at all is asked once.
const RETRY_FOR: Duration = Duration::from_secs(8);

/// What of the environment says who we are and where the bucket is; nothing else is taken from it.
const FROM_ENVIRONMENT: [(&str, AmazonS3ConfigKey); 9] = [
    ("AWS_REGION", AmazonS3ConfigKey::Region),
    ("AWS_DEFAULT_REGION", AmazonS3ConfigKey::DefaultRegion),
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
];

/// Opens what the settings name. A bucket is not asked; a directory is made where only its last
/// part is missing: a whole path that is missing is a mount that is missing.
pub(crate) fn open(
    settings: &ObjectStore,
    environment: &BTreeMap<String, String>,
) -> Result<Arc<dyn Store>, ObjectsError> {
    match settings {
        ObjectStore::Directory(path) => directory(FsPath::new(path)),
        ObjectStore::S3(bucket) => s3(bucket, environment),
    }
}

fn directory(path: &FsPath) -> Result<Arc<dyn Store>, ObjectsError> {
    use std::os::unix::fs::DirBuilderExt as _;
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            let reason = format!("the directory {} can't be made: {error}", path.display());
            return Err(ObjectsError::Missing { reason });
        }
        _ => {}
    }
    // Whoever writes here may delete the original afterwards: what is written has to be on disk.
    let store = LocalFileSystem::new_with_prefix(path).map_err(|error| sorted(&error, &[]))?;
    Ok(Arc::new(store.with_automatic_cleanup(true).with_fsync(true)))
}

fn s3(
    bucket: &S3Bucket,
    environment: &BTreeMap<String, String>,
) -> Result<Arc<dyn Store>, ObjectsError> {
    // Fails where one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let own = bucket.credentials.is_some();
    let given = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    // Where nothing is asked over TLS, a machine without certificates will do. A role's
    // credentials would be asked for over TLS.
    let without_tls = bucket.plain_http && (own || given("AWS_ACCESS_KEY_ID").is_some());
    let mut builder = AmazonS3Builder::new()
        .with_retry(RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(100),
                max_backoff: Duration::from_secs(2),
                base: 2.0,
            },
            max_retries: RETRIES,
            retry_timeout: RETRY_FOR,
        })
        .with_client_options(
            ClientOptions::new()
                .with_connect_timeout(CONNECT)
                .with_timeout(REQUEST)
                .with_no_system_certificates(without_tls),
        );
    // Credentials of the settings are a whole: a session token of others does not go with them.
    for (name, key) in FROM_ENVIRONMENT.into_iter().filter(|(name, _)| !own || is_region(name)) {
        if let Some(value) = given(name) {
            builder = builder.with_config(key, value);
        }
    }
    builder = builder.with_bucket_name(&bucket.bucket).with_allow_http(bucket.plain_http);
    if let Some(region) = &bucket.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &bucket.endpoint {
        // A server of one's own is addressed by path: it has no name for every bucket.
        builder = builder
            .with_endpoint(endpoint.trim_end_matches('/'))
            .with_virtual_hosted_style_request(false);
    }
    if let Some(credentials) = &bucket.credentials {
        builder = builder
            .with_access_key_id(credentials.access_key_id.expose())
            .with_secret_access_key(credentials.secret_access_key.expose());
    }
    let secrets = secrets(&ObjectStore::S3(bucket.clone()), environment);
    Ok(Arc::new(builder.build().map_err(|error| sorted(&error, &secrets))?))
}

fn is_region(name: &str) -> bool {
    name.ends_with("REGION")
}

/// What must not stand in any message.
pub(crate) fn secrets(
    settings: &ObjectStore,
    environment: &BTreeMap<String, String>,
) -> Vec<Secret> {
    let ObjectStore::S3(bucket) = settings else { return Vec::new() };
    let own = bucket.credentials.iter();
    let own = own.flat_map(|c| [c.access_key_id.clone(), c.secret_access_key.clone()]);
    let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];
    let inherited = names.iter().filter_map(|name| environment.get(*name));
    let inherited = inherited.filter(|value| !value.is_empty()).map(Secret::new);
    own.chain(inherited).collect()
}
