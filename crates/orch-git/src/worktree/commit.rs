//! Commits in the service's name.

use orch_core::ids::Revision;

use crate::error::Result;
use crate::worktree::Worktree;
use crate::{names, parse};

/// Which of the changed files go into a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitScope<'a> {
    /// All, and the task's artifacts even where `.gitignore` hides them.
    All,
    /// Only those below a folder, ignored ones too; everything else stays uncommitted.
    Under(&'a str),
}

impl Worktree {
    /// Commits what a producer left; `None` when there is nothing to commit. Hooks do not run.
    /// A nested repository without a commit can't be recorded and is left out.
    pub fn commit(&self, message: &str, scope: CommitScope<'_>) -> Result<Option<Revision>> {
        self.settle()?;
        match scope {
            CommitScope::All => self.commit_all(message),
            CommitScope::Under(folder) => self.commit_under(message, names::inner_path(folder)?),
        }
    }

    fn commit_all(&self, message: &str) -> Result<Option<Revision>> {
        self.add(&["--all"])?;
        let artifacts = self.key.artifact_dir();
        if self.root.join(&artifacts).symlink_metadata().is_ok() {
            self.add(&["--all", "--force", "--", &artifacts])?;
        }
        self.finish(message, &[])
    }

    fn commit_under(&self, message: &str, folder: &str) -> Result<Option<Revision>> {
        if self.status(&["--ignored=matching", "--", folder])?.is_empty() {
            return Ok(None);
        }
        // A partial commit is not possible within a merge; a merge is no artifact.
        self.forget_operation()?;
        self.add(&["--all", "--force", "--", folder])?;
        self.finish(message, &["--only", "--", folder])
    }

    fn add(&self, what: &[&str]) -> Result<()> {
        let out = self.git().args(["add", "--ignore-errors"]).args(what).run()?;
        let only_nested = || {
            let said = parse::text(&out.stderr);
            !said.is_empty() && said.lines().all(|line| line.contains(NESTED) || line == AFTER)
        };
        if out.code == Some(0) || only_nested() { Ok(()) } else { Err(out.error()) }
    }

    fn finish(&self, message: &str, paths: &[&str]) -> Result<Option<Revision>> {
        let flags = ["--quiet", "--no-verify", "--allow-empty-message", "--cleanup=whitespace"];
        let commit = self.git().arg("commit").args(flags).args(["--file=-"]).args(paths);
        // Never empty: an absent stdin and an empty message are told apart.
        let out = commit.input(format!("{message}\n")).run()?;
        if out.code == Some(0) {
            return self.head().map(Some);
        }
        if self
            .git()
            .args(["diff-index", "--cached", "--quiet", "HEAD", "--"])
            .args(last(paths))
            .yes()?
        {
            return Ok(None);
        }
        Err(out.error())
    }
}

/// What git says of a nested repository that has no commit.
const NESTED: &str = "does not have a commit checked out";
const AFTER: &str = "fatal: adding files failed";

fn last<'a>(paths: &[&'a str]) -> Option<&'a str> {
    paths.last().copied()
}
