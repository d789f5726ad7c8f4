//! Registration: a checkout becomes a repository that tasks can be submitted for.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use orch_core::ids::{IdError, KeyPrefix, RepoName};
use orch_git::Git;
use orch_git::checkout::{self, CheckoutInfo};
use orch_store::{NewRepo, Repo, Store};

use crate::error::chain;
use crate::operate::OperateError;
use crate::repo_config::{FILE, lines};
use crate::settings::SettingsSources;

/// What is registered.
#[derive(Debug, Clone)]
pub struct RegisterRequest {
    /// The user's checkout, or a folder in it; its `orch.toml` is read from its root.
    pub checkout: PathBuf,
    /// Where work is pushed; `None` is what `[repository] remote` names.
    pub remote: Option<String>,
}

/// Registers a repository; true where that changed something. The error names what is wrong with
/// its settings.
pub fn register(
    store: &Store,
    git: &Git,
    sources: &SettingsSources,
    now: Timestamp,
    request: &RegisterRequest,
) -> Result<(Repo, bool), OperateError> {
    let invalid = |reason: String| OperateError::Invalid { reason };
    let checkout =
        checkout::inspect(git, &request.checkout).map_err(|error| invalid(chain(&error)))?;
    let path = checkout.root.join(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(invalid(format!("{}: {error}", path.display()))),
    };
    let settings = sources
        .repository(&path.display().to_string(), &text)
        .map_err(|errors| OperateError::Config { problems: lines(&errors) })?;
    let name = match &settings.repository.name {
        Some(name) => name.clone(),
        None => default_name(&checkout.root).map_err(|error| invalid(error.to_string()))?,
    };
    let remote = match &request.remote {
        Some(remote) => remote.clone(),
        None => remote(&checkout, &settings.repository.remote).map_err(invalid)?,
    };
    let repo = NewRepo {
        key_prefix: settings.repository.key_prefix.clone().unwrap_or_else(|| prefix(&name)),
        remote,
        default_branch: settings.repository.default_branch.clone(),
        checkout: Some(checkout.root.display().to_string()),
        name,
    };
    let changed = store.register_repo(now, &repo)?;
    Ok((store.repo(&repo.name)?, changed))
}

/// The URL or path behind `[repository] remote`: a remote's name, a URL or a path.
fn remote(checkout: &CheckoutInfo, wanted: &str) -> Result<String, String> {
    if let Some((_, url)) = checkout.remotes.iter().find(|(name, _)| name == wanted) {
        return Ok(absolute(&checkout.root, url));
    }
    if wanted.contains(['/', ':']) {
        return Ok(absolute(&checkout.root, wanted));
    }
    let root = checkout.root.display();
    Err(format!(
        "{root} has no remote {wanted}; add one, or set [repository] remote to a URL or a path"
    ))
}

/// A relative path is relative to the checkout, as git takes it; URLs stay as they are.
fn absolute(root: &Path, remote: &str) -> String {
    let path = root.join(remote);
    if path.exists() {
        path.canonicalize().unwrap_or(path).display().to_string()
    } else {
        remote.to_owned()
    }
}

/// The name of a checkout's folder, as a repository's.
pub fn default_name(root: &Path) -> Result<RepoName, IdError> {
    RepoName::new(plain(root.file_name().and_then(|name| name.to_str()).unwrap_or_default()))
}

/// A folder's name as a repository's: what is not allowed becomes `-`.
pub fn plain(name: &str) -> String {
    let text: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '-' })
        .collect();
    let text = text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).replace("..", "-");
    if text.is_empty() { "repository".to_owned() } else { text.chars().take(64).collect() }
}

/// The key prefix that a repository's name suggests; `TASK` where it suggests none.
pub fn prefix(name: &RepoName) -> KeyPrefix {
    let letters: String = name
        .as_str()
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .skip_while(char::is_ascii_digit)
        .take(16)
        .collect();
    let prefix = KeyPrefix::new(letters).or_else(|_| KeyPrefix::new("TASK"));
    prefix.unwrap_or_else(|_| unreachable!("`TASK` is a valid prefix"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_name_gives_a_name_and_a_prefix() {
        let table = [
            ("hello", "hello", "HELLO"),
            ("my project", "my-project", "MYPROJECT"),
            ("..", "repository", "REPOSITORY"),
            ("9lives", "9lives", "LIVES"),
            ("a..b", "a-b", "AB"),
            ("日本", "repository", "REPOSITORY"),
            ("42", "42", "TASK"),
        ];
        for (folder, name, key) in table {
            let plain = RepoName::new(plain(folder)).unwrap();
            assert_eq!((plain.as_str(), prefix(&plain).as_str()), (name, key), "{folder}");
        }
    }
}
