//! Repositories.

use orch_api::RepoItem;
use orch_store::Repo;

pub(crate) fn repo(repo: Repo) -> RepoItem {
    RepoItem {
        name: repo.info.name.to_string(),
        key_prefix: repo.info.key_prefix.to_string(),
        remote: without_secret(&repo.info.remote),
        default_branch: repo.info.default_branch,
        checkout: repo.info.checkout,
        frozen: repo.frozen.is_some(),
        frozen_at: repo.frozen.as_ref().map(|freeze| freeze.at),
        frozen_reason: repo.frozen.and_then(|freeze| freeze.reason),
        created_at: repo.created_at,
    }
}

/// A URL with a password in it is not for everybody who may read.
fn without_secret(remote: &str) -> String {
    let Some((scheme, rest)) = remote.split_once("://") else { return remote.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') || scheme.starts_with("http") => {
            format!("{scheme}://***@{host}{path}")
        }
        _ => remote.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_of_urls_are_not_shown() {
        for (remote, shown) in [
            ("/srv/git/x.git", "/srv/git/x.git"),
            ("git@host:x.git", "git@host:x.git"),
            ("ssh://git@host/x.git", "ssh://git@host/x.git"),
            ("https://host/x@y.git", "https://host/x@y.git"),
            ("https://token@host/x.git", "https://***@host/x.git"),
            ("https://u:p@w@host:1/x.git", "https://***@host:1/x.git"),
        ] {
            assert_eq!(without_secret(remote), shown);
        }
    }
}
