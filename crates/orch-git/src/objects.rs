//! Read-only questions to a repository's objects. A mirror and its worktrees share them, so
//! both answer all of these.

use std::path::{Path, PathBuf};

use orch_core::ids::{Revision, TreeId};

use crate::command::{Git, GitCommand, Place};
use crate::error::{GitError, Result};
use crate::{names, parse, tree};

/// The largest file that is read out of a commit, in bytes.
const FILE_LIMIT: usize = 1024 * 1024;
/// The most commits that one list holds.
const LOG_LIMIT: usize = 10_000;

/// The object store of one mirror.
#[derive(Debug, Clone)]
pub struct Objects {
    pub(crate) git: Git,
    pub(crate) git_dir: PathBuf,
}

/// A commit, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSummary {
    /// The commit.
    pub revision: Revision,
    /// Its parents; two or more for a merge, none for a first commit.
    pub parents: Vec<Revision>,
    /// The author's name.
    pub author: String,
    /// The author's address.
    pub email: String,
    /// When it was written, in seconds since 1970; 0 where the commit says nothing readable.
    pub authored_at: i64,
    /// The first line of the message.
    pub subject: String,
}

/// The commits that are in `to` and not in `from`; all of `to`'s history without `from`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitRange {
    /// Left out together with all that it contains.
    pub from: Option<Revision>,
    /// Where the list begins.
    pub to: Revision,
}

/// How a file differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Only the newer side has it.
    Added,
    /// Both have it, with other content, mode or type.
    Modified,
    /// Only the older side has it.
    Deleted,
}

/// A file that differs between two revisions. A rename is a deletion and an addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPath {
    /// How.
    pub kind: ChangeKind,
    /// Relative to the root; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
}

/// The size of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DiffStat {
    /// Files that differ, binary ones too.
    pub files: u64,
    /// Lines added in text files.
    pub insertions: u64,
    /// Lines deleted in text files.
    pub deletions: u64,
}

/// What a path in a commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A plain file.
    File,
    /// A file with the executable bit.
    Executable,
    /// A symbolic link; its content is the target.
    Symlink,
    /// A folder.
    Folder,
    /// Another repository's commit.
    Submodule,
}

/// A path in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// What it is.
    pub kind: EntryKind,
    /// The object's id.
    pub object: Revision,
    /// In bytes; 0 for folders and submodules.
    pub size: u64,
    /// Relative to the root; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
}

impl Objects {
    /// The bare repository's folder.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The content of a file at a revision; `None` where there is no such file. A symbolic link
    /// gives its target: [`Objects::entry_at`] tells them apart. Over 1 MiB it is `TooLarge`.
    pub fn file_at(&self, rev: &Revision, path: &str) -> Result<Option<Vec<u8>>> {
        let request = format!("{rev}:{}", names::inner_path(path)?);
        let out = self
            .bare()
            .args(["cat-file", "--batch", "-z"])
            .input(format!("{request}\0"))
            .stdout_limit(FILE_LIMIT + 1024)
            .ok()
            .map_err(|error| match error {
                GitError::TooLarge { .. } => too_large(path),
                other => other,
            })?;
        let found = parse::batch(&out, &[request.as_bytes()])?.pop().flatten();
        match found.filter(|found| found.kind == "blob") {
            Some(blob) if blob.bytes.len() > FILE_LIMIT => Err(too_large(path)),
            blob => Ok(blob.map(|blob| blob.bytes)),
        }
    }

    /// What a path is at a revision; `None` where there is nothing.
    pub fn entry_at(&self, rev: &Revision, path: &str) -> Result<Option<TreeEntry>> {
        let path = names::inner_path(path)?;
        let out = self.bare().args(["ls-tree", "-z", "-l", rev.as_str(), "--", path]).ok()?;
        Ok(parse::ls_tree(&out)?.pop())
    }

    /// Every file below a folder at a revision, in order; empty where there is no such folder.
    pub fn files_under(&self, rev: &Revision, folder: &str) -> Result<Vec<TreeEntry>> {
        let folder = format!("{}/", names::inner_path(folder)?);
        let list = self.bare().args(["ls-tree", "-r", "-z", "-l", rev.as_str(), "--", &folder]);
        parse::ls_tree(&list.ok()?)
    }

    /// Whether the commit is here.
    pub fn has_commit(&self, commit: &Revision) -> Result<bool> {
        self.bare().args(["cat-file", "-e", commit.as_str()]).yes()
    }

    /// Whether `a` is `b` or is contained in it.
    pub fn is_ancestor(&self, a: &Revision, b: &Revision) -> Result<bool> {
        self.bare().args(["merge-base", "--is-ancestor", a.as_str(), b.as_str()]).yes()
    }

    /// The best common ancestor; `None` for unrelated histories.
    pub fn merge_base(&self, a: &Revision, b: &Revision) -> Result<Option<Revision>> {
        let out = self.bare().args(["merge-base", a.as_str(), b.as_str()]).run()?;
        match out.code {
            Some(0) => parse::revision(&out.stdout).map(Some),
            Some(1) => Ok(None),
            _ => Err(out.error()),
        }
    }

    /// The newest `n` commits of a range, newest first; at most 10,000.
    pub fn log(&self, range: &CommitRange, n: usize) -> Result<Vec<CommitSummary>> {
        let mut log = self.bare().args(["log", "-z", "--no-show-signature", parse::LOG_FORMAT]);
        log = log.arg(format!("--max-count={}", n.min(LOG_LIMIT))).arg(range.to.as_str());
        if let Some(from) = &range.from {
            log = log.arg(format!("^{from}"));
        }
        parse::log(&log.arg("--").ok()?)
    }

    /// The commits that `head` has and `base` has not, newest first; at most 10,000.
    pub fn commits_between(&self, base: &Revision, head: &Revision) -> Result<Vec<CommitSummary>> {
        let range = CommitRange { from: Some(base.clone()), to: head.clone() };
        self.log(&range, LOG_LIMIT)
    }

    /// The files that differ between two revisions.
    pub fn changed_paths(&self, base: &Revision, head: &Revision) -> Result<Vec<ChangedPath>> {
        parse::name_status(&self.diff("--name-status", base, head)?)
    }

    /// The size of the difference between two revisions.
    pub fn diff_stat(&self, base: &Revision, head: &Revision) -> Result<DiffStat> {
        parse::numstat(&self.diff("--numstat", base, head)?)
    }

    /// The tree of a revision: all its files.
    pub fn tree(&self, rev: &Revision) -> Result<TreeId> {
        let out = self.bare().args(["rev-parse", "--verify", "--end-of-options"]);
        let out = out.arg(format!("{rev}^{{tree}}")).ok()?;
        TreeId::new(parse::text(out.trim_ascii())).map_err(|_| GitError::unreadable("tree", &out))
    }

    /// The tree of a revision without the folder of work items: equal for two revisions exactly
    /// when all files outside that folder are equal.
    pub fn code_tree(&self, rev: &Revision) -> Result<TreeId> {
        tree::code_tree(self, rev)
    }

    pub(crate) fn bare(&self) -> GitCommand<'_> {
        self.git.at(Place::Bare(&self.git_dir))
    }

    fn diff(&self, form: &str, base: &Revision, head: &Revision) -> Result<Vec<u8>> {
        let flags = ["diff-tree", "-r", "-z", "--no-renames", "--no-ext-diff", form];
        self.bare().args(flags).args([base.as_str(), head.as_str(), "--"]).ok()
    }

    /// A ref's commit; `None` where there is no such ref.
    pub(crate) fn ref_head(&self, name: &str) -> Result<Option<Revision>> {
        let out = self.bare().args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
        let out = out.arg(format!("{name}^{{commit}}")).run()?;
        match out.code {
            Some(0) => parse::revision(&out.stdout).map(Some),
            Some(1) => Ok(None),
            _ => Err(out.error()),
        }
    }
}

fn too_large(path: &str) -> GitError {
    GitError::TooLarge { what: path.to_owned(), limit: FILE_LIMIT }
}
