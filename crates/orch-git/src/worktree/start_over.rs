//! Starting over after a conflict: the branch's whole work, laid once more on top of the default
//! branch, with the conflicts marked in the files for whoever resolves them.

use orch_core::ids::Revision;

use crate::error::Result;
use crate::worktree::Worktree;

impl Worktree {
    /// Notes that the work has to start over, and from which tip; fine if it is noted already.
    pub fn want_start_over(&self) -> Result<()> {
        if self.starts_over_from()?.is_some() {
            return Ok(());
        }
        let tip = self.head()?;
        self.git().args(["update-ref", &self.start_over_ref(), tip.as_str()]).ok().map(drop)
    }

    /// The tip that the work starts over from; `None` while there is no need to.
    pub fn starts_over_from(&self) -> Result<Option<Revision>> {
        self.ref_head(&self.start_over_ref())
    }

    /// Moves the branch to `onto` and lays the noted work on top as uncommitted changes, conflicts
    /// marked in the files. Begins anew on every call, whatever an earlier one left.
    pub fn start_over(&self, onto: &Revision) -> Result<()> {
        let Some(work) = self.starts_over_from()? else { return Ok(()) };
        self.recover()?;
        self.git().args(["reset", "--quiet", "--hard", onto.as_str()]).ok()?;
        self.git().args(["clean", "-f", "-f", "-d", "--quiet"]).ok()?;
        let merge = ["merge", "--squash", "--no-commit", "--quiet", "--no-stat", work.as_str()];
        let out = self.git().args(merge).run()?;
        // Conflicts are what this is for; they are read from the index, not from the exit code.
        let conflicts = !self.git().args(["ls-files", "-u", "-z"]).ok()?.is_empty();
        if out.code != Some(0) && !conflicts {
            return Err(out.error());
        }
        // The marks stay in the files; the index must not keep the commit from being made.
        self.git().args(["reset", "--quiet", "--mixed"]).ok().map(drop)
    }

    /// Forgets the note once the resolved work has been committed; fine if there is none.
    pub fn finished_starting_over(&self) -> Result<()> {
        self.git().args(["update-ref", "-d", &self.start_over_ref()]).ok().map(drop)
    }

    /// Moves the branch back to a revision and keeps all files as they are: commits made since
    /// become uncommitted changes.
    pub fn uncommit(&self, to: &Revision) -> Result<()> {
        self.git().args(["reset", "--quiet", "--mixed", to.as_str()]).ok().map(drop)
    }

    /// Makes sure that the branch still contains `base`: whoever rewrote it loses the commits, not
    /// the files.
    pub fn keep_base(&self, base: &Revision) -> Result<()> {
        let head = self.head()?;
        if head == *base || self.is_ancestor(base, &head)? { Ok(()) } else { self.uncommit(base) }
    }

    fn start_over_ref(&self) -> String {
        format!("refs/orch/conflict/{}", self.key)
    }
}
