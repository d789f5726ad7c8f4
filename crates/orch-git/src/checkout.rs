//! The user's own repository, which is only ever read.

use std::path::{Path, PathBuf};

use orch_core::ids::Revision;

use crate::command::{Git, GitCommand, Place};
use crate::error::{GitError, Result};
use crate::mirror::{build_aside, looks_whole};
use crate::{files, parse};

/// What a repository of the user's is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutInfo {
    /// The top folder; for a bare repository, the repository itself.
    pub root: PathBuf,
    /// Remotes and their addresses as configured, by name.
    pub remotes: Vec<(String, String)>,
    /// What `origin/HEAD` points at, else the branch checked out; `None` while detached.
    pub default_branch: Option<String>,
    /// The commit checked out; `None` before the first.
    pub head: Option<Revision>,
    /// It has no working files.
    pub is_bare: bool,
    /// Its history is cut off.
    pub shallow: bool,
}

/// Looks at the repository that a folder belongs to. Takes no lock and writes nothing.
pub fn inspect(git: &Git, folder: &Path) -> Result<CheckoutInfo> {
    if !folder.is_dir() {
        return Err(GitError::NotARepository { path: folder.to_owned() });
    }
    let ask = |args: &[&str]| ask(git, folder).args(args);
    let facts = ["rev-parse", "--is-bare-repository", "--is-shallow-repository"];
    let facts = ask(&facts).arg("--absolute-git-dir").ok().map_err(|error| match error {
        GitError::NotARepository { .. } => GitError::NotARepository { path: folder.to_owned() },
        other => other,
    })?;
    let facts = parse::text(&facts);
    let mut facts = facts.splitn(3, '\n');
    let mut fact = || facts.next().unwrap_or_default().to_owned();
    let (is_bare, shallow, git_dir) = (fact() == "true", fact() == "true", fact());
    let root = if is_bare {
        git_dir.trim_end_matches('\n').to_owned()
    } else {
        let top = ask(&["rev-parse", "--show-toplevel"]).ok()?;
        let top = parse::text(&top);
        top.strip_suffix('\n').unwrap_or(&top).to_owned()
    };
    let head = ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).run()?;
    Ok(CheckoutInfo {
        root: root.into(),
        remotes: remotes(git, folder)?,
        default_branch: default_branch(git, folder)?,
        head: (head.code == Some(0)).then(|| parse::revision(&head.stdout)).transpose()?,
        is_bare,
        shallow,
    })
}

/// Makes a bare copy of a repository that has no remote, to serve as its origin. Objects are
/// copied, not linked, so that neither can damage the other. Fine if it is there already: it is
/// left as it is.
pub fn create_bare_from(git: &Git, checkout: &Path, bare: &Path) -> Result<()> {
    let bare = files::real(bare)?;
    if looks_whole(&bare) {
        return Ok(());
    }
    if !files::is_free(&bare) {
        return Err(GitError::Occupied { path: bare });
    }
    let source = inspect(git, checkout)?.root;
    build_aside(&bare, |aside| {
        let clone = ["clone", "--quiet", "--bare", "--no-hardlinks", "--"];
        git.at(Place::Nowhere).args(clone).arg(&source).arg(aside).ok()?;
        // It is to be an origin itself, not a clone that looks back.
        git.at(Place::Bare(aside)).args(["remote", "remove", "origin"]).ok().map(drop)
    })
}

fn ask<'a>(git: &'a Git, folder: &'a Path) -> GitCommand<'a> {
    git.at(Place::Folder(folder)).env("GIT_OPTIONAL_LOCKS", "0")
}

fn remotes(git: &Git, folder: &Path) -> Result<Vec<(String, String)>> {
    let pattern = r"^remote\..*\.url$";
    let out = ask(git, folder).args(["config", "--null", "--get-regexp", pattern]).run()?;
    let mut all: Vec<(String, String)> = Vec::new();
    for record in parse::records(&out.stdout) {
        let record = parse::text(record);
        let Some((key, url)) = record.split_once('\n') else { continue };
        let name = key.strip_prefix("remote.").and_then(|k| k.strip_suffix(".url"));
        // A remote may have several addresses; the first is the one fetched from.
        if let Some(name) = name.filter(|name| all.iter().all(|(seen, _)| seen != name)) {
            all.push((name.to_owned(), url.to_owned()));
        }
    }
    Ok(all)
}

fn default_branch(git: &Git, folder: &Path) -> Result<Option<String>> {
    for (name, prefix) in
        [("refs/remotes/origin/HEAD", "refs/remotes/origin/"), ("HEAD", "refs/heads/")]
    {
        let out = ask(git, folder).args(["symbolic-ref", "--quiet", name]).run()?;
        let target = parse::text(out.stdout.trim_ascii());
        if let Some(branch) = target.strip_prefix(prefix).filter(|branch| !branch.is_empty()) {
            return Ok(Some(branch.to_owned()));
        }
    }
    Ok(None)
}
