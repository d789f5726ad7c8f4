//! Brings a worktree back to rest: no lock, no half-done rebase or merge, on its own branch.

use std::fs;

use crate::error::Result;
use crate::files;
use crate::worktree::Worktree;

/// Files that git keeps while a merge, cherry-pick, revert or bisection is going on.
const UNDER_WAY: &[&str] = &["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "sequencer"];
const LEFTOVERS: &[&str] = &[
    "MERGE_MSG",
    "MERGE_MODE",
    "MERGE_RR",
    "AUTO_MERGE",
    "SQUASH_MSG",
    "REBASE_HEAD",
    "BISECT_START",
    "BISECT_LOG",
    "BISECT_NAMES",
    "BISECT_TERMS",
];

impl Worktree {
    /// Ends what a dead process left half-done: its locks are removed, a rebase, merge,
    /// cherry-pick or revert is aborted, and `HEAD` is put back on the task's branch. Commits made
    /// on another branch on top of the task's are taken over. Where nothing is half-done it starts
    /// no process.
    pub fn recover(&self) -> Result<()> {
        self.settle()?;
        if UNDER_WAY.iter().any(|name| self.admin.join(name).exists()) {
            self.git().args(["reset", "--quiet", "--hard"]).ok()?;
            self.forget_operation()?;
        }
        Ok(())
    }

    /// The same, but a merge under way stays: its files may be work to commit.
    pub(crate) fn settle(&self) -> Result<()> {
        self.remove_locks()?;
        if self.rebasing() {
            self.abort_rebase()?;
        }
        self.reattach()
    }

    /// Whether a rebase or a series of patches is going on.
    pub(crate) fn rebasing(&self) -> bool {
        ["rebase-merge", "rebase-apply"].iter().any(|name| self.admin.join(name).exists())
    }

    /// Aborts a rebase: files, index and branch are as before it.
    pub(crate) fn abort_rebase(&self) -> Result<()> {
        let aborted = self.git().args(["rebase", "--abort"]).run()?;
        if aborted.code == Some(0) && !self.rebasing() {
            return Ok(());
        }
        // Its state is damaged. The branch itself only moves at a rebase's end, so it is good.
        for name in ["rebase-merge", "rebase-apply"] {
            files::remove_all(&self.admin.join(name))?;
        }
        self.git().args(["symbolic-ref", "HEAD", &self.branch_ref()]).ok()?;
        self.git().args(["reset", "--quiet", "--hard"]).ok()?;
        self.forget_operation()
    }

    /// Forgets a merge and its like, and leaves files and index as they are.
    pub(crate) fn forget_operation(&self) -> Result<()> {
        for name in UNDER_WAY.iter().chain(LEFTOVERS) {
            files::remove_all(&self.admin.join(name))?;
        }
        Ok(())
    }

    /// Whoever drives the task has its worktree to himself, so every lock in its administrative
    /// folder is a dead process's: git makes one for the index, and one for each of its notes.
    fn remove_locks(&self) -> Result<()> {
        files::remove_locks(&self.admin)?;
        let branch = format!("{}.lock", self.branch_ref());
        files::remove_file(&self.mirror.git_dir().join(branch))
    }

    /// Agents check out branches of their own. What they committed there on top of the task's
    /// branch is the task's work; anything else leaves the branch as it was.
    fn reattach(&self) -> Result<()> {
        let name = self.branch_ref();
        let head = fs::read_to_string(self.admin.join("HEAD")).unwrap_or_default();
        if head.trim_end() == format!("ref: {name}") {
            return Ok(());
        }
        if let Ok(elsewhere) = self.head() {
            let own = self.mirror.branch_head(&self.key)?;
            let builds_on = match &own {
                Some(own) => self.is_ancestor(own, &elsewhere)?,
                None => true,
            };
            if builds_on {
                self.git().args(["update-ref", &name, elsewhere.as_str()]).ok()?;
            }
        }
        self.git().args(["symbolic-ref", "HEAD", &name]).ok().map(drop)
    }
}
