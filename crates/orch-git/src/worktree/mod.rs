//! A task's worktree: its branch `orch/<KEY>` checked out in a folder of its own, with the
//! objects of the mirror. Whoever calls this owns the worktree: no run is alive in it.

mod commit;
mod detached;
mod discard;
mod ensure;
mod lend;
mod recover;
mod start_over;

use std::ops::Deref;
use std::path::{Path, PathBuf};

use orch_core::ids::{Revision, TaskKey};

use crate::command::{GitCommand, Place};
use crate::error::Result;
use crate::mirror::Mirror;
use crate::objects::Objects;
use crate::{files, parse};

pub use commit::CommitScope;
pub use lend::TakenBack;

/// A healthy worktree on its task's branch.
#[derive(Debug, Clone)]
pub struct Worktree {
    mirror: Mirror,
    key: TaskKey,
    root: PathBuf,
    /// The mirror's folder about this worktree: HEAD, index, state of a rebase.
    admin: PathBuf,
}

/// A file that is not as the last commit has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEntry {
    staged: u8,
    changed: u8,
    raw: Vec<u8>,
}

impl StatusEntry {
    pub(crate) fn new(staged: u8, changed: u8, path: &[u8]) -> Self {
        Self { staged, changed, raw: path.to_owned() }
    }

    /// Relative to the root; bytes that are not UTF-8 are shown as U+FFFD. A nested repository
    /// ends with a slash.
    pub fn path(&self) -> String {
        parse::text(&self.raw)
    }

    /// Whether git does not know the file yet.
    pub fn is_untracked(&self) -> bool {
        self.staged == b'?'
    }

    /// Whether the file was deleted.
    pub fn is_deleted(&self) -> bool {
        self.staged == b'D' || self.changed == b'D'
    }

    pub(crate) fn is_ignored(&self) -> bool {
        self.staged == b'!'
    }

    pub(crate) fn raw(&self) -> &[u8] {
        &self.raw
    }
}

impl Deref for Worktree {
    type Target = Objects;
    fn deref(&self) -> &Objects {
        self.mirror.objects()
    }
}

impl Worktree {
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The task.
    pub fn key(&self) -> &TaskKey {
        &self.key
    }

    /// The mirror whose objects it shares.
    pub fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// The commit checked out.
    pub fn head(&self) -> Result<Revision> {
        let args = ["rev-parse", "--verify", "HEAD^{commit}"];
        parse::revision(&self.git().args(args).ok()?)
    }

    /// Whether every file that git does not ignore is as the last commit has it.
    pub fn is_clean(&self) -> Result<bool> {
        Ok(self.status_paths()?.is_empty())
    }

    /// Every file that differs from the last commit; untracked files one by one, ignored ones not.
    pub fn status_paths(&self) -> Result<Vec<StatusEntry>> {
        self.status(&[])
    }

    /// How many files git tracks here.
    pub fn tracked_files(&self) -> Result<usize> {
        let list = self.git().args(["ls-files", "-z", "--cached"]).ok()?;
        Ok(list.split(|byte| *byte == 0).filter(|name| !name.is_empty()).count())
    }

    /// Removes the folder and what the mirror knows of it; the branch stays. Fine if it is gone.
    pub fn remove(self) -> Result<()> {
        files::remove_all(&self.root)?;
        files::remove_all(&self.admin)
    }

    pub(crate) fn git(&self) -> GitCommand<'_> {
        self.mirror.objects().git.at(Place::Worktree { admin: &self.admin, root: &self.root })
    }

    pub(crate) fn branch_ref(&self) -> String {
        format!("refs/heads/{}", self.key.branch())
    }

    fn status(&self, more: &[&str]) -> Result<Vec<StatusEntry>> {
        let flags = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"];
        parse::status(&self.git().args(flags).args(more).ok()?)
    }
}
