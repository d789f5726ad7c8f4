//! The bare mirror of a repository: origin's branches under `refs/remotes/origin`, the tasks'
//! own branches under `refs/heads/orch`, where no fetch can touch them.

use std::collections::HashSet;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use orch_core::ids::{Revision, TaskKey};

use crate::command::{Git, Place};
use crate::error::{GitError, Result};
use crate::objects::Objects;
use crate::{files, names, parse};

/// Fetches every branch of origin into a place of its own.
const FETCH: &str = "+refs/heads/*:refs/remotes/origin/*";
/// Fetches that may meet references on the move, one after the other, before it is called a fault.
const FETCH_TRIES: usize = 5;
/// A half-made repository older than this has no maker any more.
const ABANDONED: Duration = Duration::from_hours(1);
/// One maker at a time in this process: two would meet at its lock files.
static MAKING: Mutex<()> = Mutex::new(());

/// A bare repository beside the user's own, fed by fetches from origin.
#[derive(Debug, Clone)]
pub struct Mirror {
    objects: Objects,
}

/// A worktree that the mirror knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorktreeInfo {
    /// Its folder.
    pub path: PathBuf,
    /// The commit checked out; `None` before the first.
    pub head: Option<Revision>,
    /// The branch checked out; `None` while detached, as in the middle of a rebase.
    pub branch: Option<String>,
    /// Its folder is gone.
    pub prunable: bool,
    pub(crate) bare: bool,
}

impl WorktreeInfo {
    /// The task whose branch is checked out; `None` for any other branch.
    pub fn key(&self) -> Option<TaskKey> {
        self.branch.as_deref()?.strip_prefix("orch/")?.parse().ok()
    }

    pub(crate) fn at(path: &[u8]) -> Self {
        let path = PathBuf::from(std::ffi::OsStr::from_bytes(path));
        Self { path, head: None, branch: None, prunable: false, bare: false }
    }
}

impl Deref for Mirror {
    type Target = Objects;
    fn deref(&self) -> &Objects {
        &self.objects
    }
}

impl Mirror {
    /// Opens the mirror at `path` of the repository at `remote_url`, and makes it first if it is
    /// missing. Making it asks the remote once; opening it again works without a network. What a
    /// crash left half-made or locked is repaired; a changed address is taken over.
    pub fn open(git: &Git, path: &Path, remote_url: &str) -> Result<Self> {
        let url = names::remote(remote_url)?;
        let path = files::real(path)?;
        if !looks_whole(&path) {
            make(git, &path, &url)?;
        }
        let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        files::clear_stale_locks(&path);
        let mirror = Self { objects: Objects { git: git.clone(), git_dir: path } };
        mirror.point_to(&url)?;
        Ok(mirror)
    }

    /// Brings origin's branches up to date and forgets those that origin no longer has. Task
    /// branches of this mirror are not touched. A push at the same time may move a reference between
    /// the fetch's look at it and its own move; then it looks again.
    pub fn fetch(&self) -> Result<()> {
        for _ in 1..FETCH_TRIES {
            match self.fetch_once() {
                Err(GitError::Locked { .. }) => {}
                done => return done,
            }
        }
        self.fetch_once()
    }

    fn fetch_once(&self) -> Result<()> {
        let flags = ["fetch", "--quiet", "--prune", "--no-write-fetch-head", "origin", FETCH];
        self.bare().args(flags).network().ok().map(drop)
    }

    /// Where origin's branch was at the last fetch or push; `None` if it was not there.
    pub fn remote_head(&self, branch: &str) -> Result<Option<Revision>> {
        self.ref_head(&format!("refs/remotes/origin/{}", names::branch(branch)?))
    }

    /// The branch that origin's `HEAD` points at, asked of origin itself; `None` where it does
    /// not say (an empty repository of an old server).
    pub fn default_branch(&self) -> Result<Option<String>> {
        let out = self.bare().args(["ls-remote", "--symref", "origin", "HEAD"]).network().ok()?;
        Ok(parse::ls_remote(&out)?.default_branch)
    }

    /// The tip of a task's branch in this mirror; `None` if there is none yet.
    pub fn branch_head(&self, key: &TaskKey) -> Result<Option<Revision>> {
        self.ref_head(&format!("refs/heads/{}", key.branch()))
    }

    /// Whether origin's branch, as of the last fetch, contains a revision.
    pub fn contains_landed(&self, rev: &Revision, branch: &str) -> Result<bool> {
        match self.remote_head(branch)? {
            Some(head) => self.is_ancestor(rev, &head),
            None => Ok(false),
        }
    }

    /// Every worktree that the mirror knows of.
    pub fn worktrees(&self) -> Result<Vec<WorktreeInfo>> {
        let out = self.bare().args(["worktree", "list", "--porcelain", "-z"]).ok()?;
        Ok(parse::worktrees(&out))
    }

    /// Forgets worktrees whose folder is gone.
    pub fn prune_worktrees(&self) -> Result<()> {
        self.bare().args(["worktree", "prune", "--expire=now"]).ok().map(drop)
    }

    /// Deletes those of these tasks' branches that are in this mirror; returns how many were.
    pub fn delete_branches<'a>(&self, keys: impl Iterator<Item = &'a TaskKey>) -> Result<u64> {
        let list = self.bare().args(["for-each-ref", "--format=%(refname)", "refs/heads"]).ok()?;
        let there: HashSet<&[u8]> = list.split(|byte| *byte == b'\n').collect();
        let names = keys.map(|key| format!("refs/heads/{}", key.branch()));
        let names = names.filter(|name| there.contains(name.as_bytes()));
        let commands: Vec<String> = names.map(|name| format!("delete {name}\n")).collect();
        if commands.is_empty() {
            return Ok(0);
        }
        let delete = self.bare().args(["update-ref", "--stdin"]).input(commands.concat());
        delete.ok().map(|_| commands.len() as u64)
    }

    /// Packs objects and drops unreachable ones of more than two weeks. Nothing else does this:
    /// automatic maintenance is off so that it never runs in the middle of a task.
    pub fn maintain(&self) -> Result<()> {
        self.bare().args(["gc", "--quiet"]).ok().map(drop)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    fn point_to(&self, url: &str) -> Result<()> {
        let asked = ["config", "--null", "--get-regexp", r"^remote\.origin\.(url|fetch)$"];
        let out = self.bare().args(asked).run()?;
        let wanted = format!("remote.origin.url\n{url}\0remote.origin.fetch\n{FETCH}\0");
        if out.stdout == wanted.as_bytes() {
            return Ok(());
        }
        // A section that is not there can't be removed: that is the state wanted.
        self.bare().args(["config", "--remove-section", "remote.origin"]).run()?;
        self.bare().args(["config", "remote.origin.url", url]).ok()?;
        self.bare().args(["config", "remote.origin.fetch", FETCH]).ok().map(drop)
    }
}

/// Whether the parts are there without which git does not take a folder for a repository.
pub(crate) fn looks_whole(path: &Path) -> bool {
    path.join("HEAD").is_file()
        && path.join("config").is_file()
        && path.join("objects").is_dir()
        && path.join("refs").is_dir()
}

fn make(git: &Git, path: &Path, url: &str) -> Result<()> {
    if !files::is_free(path) {
        return mend(git, path);
    }
    // Asked before the lock: an unreachable remote must not hold up the others.
    let asked = git.at(Place::Nowhere).args(["ls-remote", "--symref", "--", url, "HEAD"]);
    let remote = parse::ls_remote(&asked.network().ok()?)?;
    // An id of 64 digits: the remote names objects by SHA-256, and a mirror has to do the same.
    let sha256 = remote.head.is_some_and(|head| head.as_str().len() == 64);
    let format = if sha256 { "--object-format=sha256" } else { "--object-format=sha1" };
    let _one = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if looks_whole(path) {
        return Ok(());
    }
    build_aside(path, |aside| init(git, aside, Some(format)))
}

fn init(git: &Git, path: &Path, format: Option<&str>) -> Result<()> {
    let init = git.at(Place::Nowhere).args(["init", "--quiet", "--bare"]).args(format);
    init.arg("--").arg(path).ok().map(drop)
}

/// Puts back the parts that a damaged repository lacks; git's own `init` does that and keeps all
/// that is there. A folder that was never a repository is refused.
fn mend(git: &Git, path: &Path) -> Result<()> {
    let parts = ["HEAD", "objects", "refs", "config", "packed-refs"];
    if !parts.iter().any(|part| path.join(part).exists()) {
        return Err(GitError::Occupied { path: path.to_owned() });
    }
    init(git, path, None)
}

/// Makes a folder beside its place and moves it there whole, so that a crash leaves no half.
pub(crate) fn build_aside(path: &Path, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = path.parent().unwrap_or(Path::new("/"));
    let prefix = format!(".{name}.making-");
    remove_abandoned(folder, &prefix);
    let aside = folder.join(format!("{prefix}{}", std::process::id()));
    files::remove_all(&aside)?;
    build(&aside)?;
    match std::fs::rename(&aside, path) {
        Ok(()) => Ok(()),
        Err(_) if looks_whole(path) => files::remove_all(&aside),
        Err(e) => Err(GitError::io("move into place", path, e)),
    }
}

fn remove_abandoned(folder: &Path, prefix: &str) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_string_lossy().starts_with(prefix);
        let made = entry.metadata().and_then(|meta| meta.modified()).ok();
        let age = made.and_then(|at| SystemTime::now().duration_since(at).ok());
        if ours && age.is_some_and(|age| age > ABANDONED) {
            // Best effort: it only costs space.
            drop(files::remove_all(&entry.path()));
        }
    }
}
