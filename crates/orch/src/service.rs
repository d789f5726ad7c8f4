//! The way to the running service, and the way around it where none runs.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use orch_api::{Client, ClientError, RegisterRepo, RepoItem};
use orch_core::settings::Secret;
use orch_engine::RegisterRequest;
use orch_process::files;

use crate::env::Env;
use crate::{local, settings};

/// The file in the state directory in which a running service says where it listens.
fn address_file(home: &Path) -> PathBuf {
    home.join("service.addr")
}

/// A client of this state directory's service: where it says that it listens, else where the
/// settings say. Nothing is asked yet.
pub fn client(env: &Env) -> anyhow::Result<Client> {
    let settings = settings::service(env)?.value.service;
    let announced = fs::read_to_string(address_file(env.home()?)).ok();
    let address = announced.and_then(|text| text.trim().parse().ok()).unwrap_or(settings.bind);
    let token = settings.api_token.as_ref().map(Secret::expose);
    Ok(Client::new(&url(address), token))
}

/// The base URL for an address that a service listens at; one that listens everywhere is asked
/// on this machine.
pub fn url(mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        let here: std::net::IpAddr = match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        };
        address.set_ip(here);
    }
    format!("http://{address}")
}

/// The URL of the service where one answers.
pub fn answers(env: &Env) -> anyhow::Result<Option<String>> {
    let client = client(env)?;
    Ok(client.health().is_ok().then(|| client.base_url().to_owned()))
}

/// Every registered repository.
pub fn repos(client: &Client) -> Result<Vec<RepoItem>, ClientError> {
    let mut all = Vec::new();
    let mut cursor = None;
    loop {
        let page = client.repos(Some(orch_api::MAX_LIMIT), cursor.as_deref())?;
        all.extend(page.items);
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Ok(all);
        }
    }
}

/// What a repository is registered as.
#[derive(Debug, Clone)]
pub struct RepoFacts {
    /// Its name.
    pub name: String,
    /// The prefix of its tasks' keys.
    pub key_prefix: String,
    /// Where merged work is pushed; a password in it is not shown.
    pub remote: String,
    /// The branch that work lands on.
    pub default_branch: String,
}

/// Registers a repository: through the service where it answers, else in the database. True where
/// that changed something.
pub fn register(env: &Env, request: &RegisterRequest) -> anyhow::Result<(RepoFacts, bool)> {
    let client = client(env)?;
    if client.health().is_err() {
        let (repo, changed) = local::register(env, request)?;
        let facts = RepoFacts {
            name: repo.info.name.to_string(),
            key_prefix: repo.info.key_prefix.to_string(),
            remote: without_password(&repo.info.remote),
            default_branch: repo.info.default_branch,
        };
        return Ok((facts, changed));
    }
    let before = repos(&client)?;
    let wish = RegisterRepo {
        checkout: request.checkout.display().to_string(),
        remote: request.remote.clone(),
    };
    let after = client.register(&wish)?;
    let changed = !before.contains(&after);
    let facts = RepoFacts {
        name: after.name,
        key_prefix: after.key_prefix,
        remote: after.remote,
        default_branch: after.default_branch,
    };
    Ok((facts, changed))
}

/// A URL for people: user and password of `scheme://user:password@host` are taken out.
fn without_password(remote: &str) -> String {
    let Some((scheme, rest)) = remote.split_once("://") else { return remote.to_owned() };
    let host_end = rest.find('/').unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => remote.to_owned(),
    }
}

/// Says where a service listens, until it is dropped.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
}

impl Announcement {
    /// Writes the address into the state directory.
    pub fn make(home: &Path, address: SocketAddr) -> std::io::Result<Self> {
        let path = address_file(home);
        files::publish(&path, format!("{address}\n").as_bytes())?;
        Ok(Self { path })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // A stale address costs one refused connection; the next service overwrites it.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_listens_everywhere_is_asked_here() {
        let table = [
            ("127.0.0.1:8420", "http://127.0.0.1:8420"),
            ("0.0.0.0:1", "http://127.0.0.1:1"),
            ("[::]:2", "http://[::1]:2"),
            ("192.0.2.1:3", "http://192.0.2.1:3"),
        ];
        for (address, expected) in table {
            assert_eq!(url(address.parse().unwrap()), expected);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let table = [
            ("https://me:secret@host/x@y.git", "https://host/x@y.git"),
            ("https://host/x.git", "https://host/x.git"),
            ("git@host:x.git", "git@host:x.git"),
            ("/srv/a@b", "/srv/a@b"),
        ];
        for (remote, expected) in table {
            assert_eq!(without_password(remote), expected);
        }
    }
}
