//! `[object_store]`: where logs and artifacts of runs are put so that every machine can read them
//! (S14).

use std::net::IpAddr;

use super::error::{Place, SettingsError};
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::secret::Secret;

/// An object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectStore {
    /// A directory that every machine mounts, or of this machine alone; absolute.
    Directory(String),
    /// A bucket of an S3-compatible service.
    S3(S3Bucket),
}

impl ObjectStore {
    /// What nobody but the service may know, by the name of the variable that sets it.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let Self::S3(S3Bucket { credentials: Some(own), .. }) = self else { return Vec::new() };
        vec![
            (ACCESS_KEY_ID.env, &own.access_key_id),
            (SECRET_ACCESS_KEY.env, &own.secret_access_key),
        ]
    }
}

/// A bucket of an S3-compatible service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Bucket {
    /// Its name.
    pub bucket: String,
    /// Put before every key; empty where there is none, and without `/` at its ends.
    pub prefix: String,
    /// The server; `None` means Amazon's own.
    pub endpoint: Option<String>,
    /// The region; `None` means what the environment says, else `us-east-1`.
    pub region: Option<String>,
    /// Access key and secret; `None` means what the environment or the machine's role gives.
    pub credentials: Option<Credentials>,
    /// Whether the server may be spoken to without TLS.
    pub plain_http: bool,
}

/// What an S3-compatible service knows its user by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The access key's id.
    pub access_key_id: Secret,
    /// The secret that requests are signed with.
    pub secret_access_key: Secret,
}

static URL: Key = Key {
    section: "object_store",
    name: "url",
    env: "ORCH_OBJECT_STORE_URL",
    kind: Kind::Text { form: "file:///DIR or s3://BUCKET/PREFIX", rule: url },
    default: "",
    doc: "Where logs and artifacts are put for other machines; unset means nowhere",
};
static ENDPOINT: Key = Key {
    section: "object_store",
    name: "endpoint",
    env: "ORCH_OBJECT_STORE_ENDPOINT",
    kind: Kind::URL,
    default: "",
    doc: "Server of an S3-compatible store; unset means Amazon S3",
};
static REGION: Key = Key {
    section: "object_store",
    name: "region",
    env: "ORCH_OBJECT_STORE_REGION",
    kind: Kind::Text { form: "a region such as eu-central-1", rule: region },
    default: "",
    doc: "Region of the bucket; unset means AWS_REGION, else us-east-1",
};
static ACCESS_KEY_ID: Key = Key {
    section: "object_store",
    name: "access_key_id",
    env: "ORCH_OBJECT_STORE_ACCESS_KEY_ID",
    kind: Kind::Secret,
    default: "",
    doc: "Access key; unset means AWS_ACCESS_KEY_ID or the machine's role",
};
static SECRET_ACCESS_KEY: Key = Key {
    section: "object_store",
    name: "secret_access_key",
    env: "ORCH_OBJECT_STORE_SECRET_ACCESS_KEY",
    kind: Kind::Secret,
    default: "",
    doc: "Secret of the access key",
};
static ALLOW_HTTP: Key = Key {
    section: "object_store",
    name: "allow_http",
    env: "ORCH_OBJECT_STORE_ALLOW_HTTP",
    kind: Kind::Flag,
    default: "false",
    doc: "Allows an endpoint without TLS that is not on this machine",
};

/// `[object_store]`.
pub(super) static SECTION: Section = Section {
    name: "object_store",
    instance: None,
    scope: Scope::Service,
    doc: "Where logs and artifacts of runs are put, so that every machine can read them",
    keys: &[&URL, &ENDPOINT, &REGION, &ACCESS_KEY_ID, &SECRET_ACCESS_KEY, &ALLOW_HTTP],
};

/// The store; `None` where no URL is set.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<ObjectStore> {
    let url = reader.text(&URL);
    let (endpoint, endpoint_at) = reader.value(&ENDPOINT);
    let (region, region_at) = reader.value(&REGION);
    let (id_at, access_key_id) = placed_secret(reader, &ACCESS_KEY_ID);
    let (secret_at, secret_access_key) = placed_secret(reader, &SECRET_ACCESS_KEY);
    let allow_http = reader.flag(&ALLOW_HTTP);
    let (endpoint, region) = (endpoint.text(), region.text());
    let bucket = url.as_deref().and_then(|url| url.strip_prefix("s3://"));
    let Some(bucket) = bucket else {
        let what = if url.is_some() { "a directory" } else { "no object store" };
        let set = [
            (&ENDPOINT, endpoint.is_some(), endpoint_at),
            (&REGION, region.is_some(), region_at),
            (&ACCESS_KEY_ID, access_key_id.is_some(), id_at),
            (&SECRET_ACCESS_KEY, secret_access_key.is_some(), secret_at),
        ];
        for (key, _, place) in set.into_iter().filter(|(_, set, _)| *set) {
            reader.errors.push(idle(key, place, what));
        }
        return url?.strip_prefix("file://").map(|path| ObjectStore::Directory(path.to_owned()));
    };
    // Told without showing it: what stands before an `@` may be a password.
    if endpoint.as_deref().is_some_and(|url| url.contains(['@', '?', '#'])) {
        let message = "`object_store.endpoint` must be a URL without user, query and fragment";
        let hint = "credentials have settings of their own, ORCH_OBJECT_STORE_ACCESS_KEY_ID and \
                    ORCH_OBJECT_STORE_SECRET_ACCESS_KEY";
        let hint = Some(hint.to_owned());
        reader.errors.push(SettingsError::new(endpoint_at.clone(), message, hint));
    }
    if let Some(endpoint) = &endpoint
        && endpoint.starts_with("http://")
        && !allow_http
        && !on_this_machine(endpoint)
    {
        reader.errors.push(without_tls(endpoint_at));
    }
    let credentials = match (access_key_id, secret_access_key) {
        (Some(access_key_id), Some(secret_access_key)) => {
            Some(Credentials { access_key_id, secret_access_key })
        }
        (None, None) => None,
        (Some(_), None) => {
            reader.errors.push(half(&SECRET_ACCESS_KEY, &ACCESS_KEY_ID, id_at));
            None
        }
        (None, Some(_)) => {
            reader.errors.push(half(&ACCESS_KEY_ID, &SECRET_ACCESS_KEY, secret_at));
            None
        }
    };
    let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
    Some(ObjectStore::S3(S3Bucket {
        bucket: name.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
        plain_http: endpoint.as_deref().is_some_and(|url| url.starts_with("http://")),
        endpoint,
        region,
        credentials,
    }))
}

fn placed_secret(reader: &mut Reader<'_>, key: &Key) -> (Place, Option<Secret>) {
    let (value, place) = reader.value(key);
    (place, value.secret())
}

fn idle(key: &Key, place: Place, what: &str) -> SettingsError {
    let message = format!("`{}` is for an S3 bucket, and {what} is set", key.path(None));
    let hint = Some("set object_store.url to s3://BUCKET/PREFIX, or take it out".to_owned());
    SettingsError::new(place, message, hint)
}

fn half(missing: &Key, there: &Key, place: Place) -> SettingsError {
    let message = format!("`{}` is set without `{}`", there.path(None), missing.path(None));
    SettingsError::new(place, message, Some(format!("set {} too", missing.env)))
}

fn without_tls(place: Place) -> SettingsError {
    let message = "`object_store.endpoint` is another machine without TLS: logs would go over \
                   the network in the clear";
    let hint = Some("use https://, or set object_store.allow_http = true".to_owned());
    SettingsError::new(place, message, hint)
}

/// Whether a URL's host is this machine.
fn on_this_machine(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or("");
    let host = match authority.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or(""),
        None => authority.split(':').next().unwrap_or(""),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// `file:///DIR` or `s3://BUCKET/PREFIX`, of plain characters only.
fn url(text: &str) -> Result<(), String> {
    let form = || "must be file:///DIR or s3://BUCKET/PREFIX".to_owned();
    if let Some(path) = text.strip_prefix("file://") {
        let plain = path.starts_with('/')
            && path.len() > 1
            && !path.contains(char::is_control)
            && !path.split('/').any(|part| part == "..");
        return if plain { Ok(()) } else { Err(form()) };
    }
    let bucket = text.strip_prefix("s3://").ok_or_else(form)?;
    let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let named = (3..=63).contains(&name.len())
        && name.chars().all(|c| letters(c) || matches!(c, '-' | '.'))
        && name.starts_with(letters)
        && name.ends_with(letters);
    if !named {
        return Err("must name a bucket of 3 to 63 lower-case letters, digits, - and .".to_owned());
    }
    let part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    if prefix.is_empty() || (prefix.len() <= 200 && prefix.split('/').all(part)) {
        return Ok(());
    }
    Err("must have a prefix of letters, digits, -, _ and . between slashes".to_owned())
}

fn region(text: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !text.is_empty() && text.len() <= 64 && text.chars().all(plain) {
        return Ok(());
    }
    Err("must be a region such as eu-central-1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_are_taken_and_refused() {
        for good in [
            "file:///srv/objects",
            "file:///srv/with space",
            "s3://logs",
            "s3://my.logs-1/a/b_c/",
            "s3://logs/",
        ] {
            assert_eq!(url(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/srv/objects",
            "file://host/srv",
            "file:///",
            "file:///srv/../etc",
            "s3://",
            "s3://UPPER",
            "s3://ab",
            "s3://-bucket",
            "s3://user@bucket",
            "s3://logs//a",
            "s3://logs/../a",
            "s3://logs/a?b",
            "https://host/bucket",
            "gs://bucket",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_loopback_counts_as_this_machine() {
        for here in ["http://127.0.0.1:9000", "http://localhost", "http://[::1]:9000/x"] {
            assert!(on_this_machine(here), "{here}");
        }
        for there in
            ["http://10.0.0.1", "http://localhost.example:9", "http://[fe80::1]", "http://"]
        {
            assert!(!on_this_machine(there), "{there}");
        }
    }
}
