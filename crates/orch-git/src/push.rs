//! Pushes that can be repeated after a crash and never drop anybody's commits: each says what it
//! expects the remote branch to be.

use orch_core::ids::{Revision, TaskKey};

use crate::error::{GitError, Result};
use crate::mirror::Mirror;
use crate::names;
use crate::parse::{self, RefPush};

/// What a push of a task's branch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// The remote branch moved.
    Pushed,
    /// It was there already.
    AlreadyThere,
}

/// What an attempt to move the default branch came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Landing {
    /// The branch is now at the new revision.
    Landed,
    /// The branch is at the new revision or contains it: an earlier attempt did it.
    AlreadyLanded,
    /// Somebody else was first; rebase on this and try again.
    Moved {
        /// Where the branch is now; it has been fetched.
        now: Revision,
    },
}

impl Mirror {
    /// Pushes `head` to the task's branch on origin, which must be at `expected` (`None`: must
    /// not exist), at `head` already, or at a commit that this mirror has: that is where a push of
    /// ours was cut off between the remote's move and our note of it. [`GitError::LeaseLost`] if it
    /// is anywhere else, so that nothing of anybody's is dropped that is not kept here.
    pub fn push_branch(
        &self,
        key: &TaskKey,
        head: &Revision,
        expected: Option<&Revision>,
    ) -> Result<Pushed> {
        let branch = key.branch();
        let refused = match self.push_ref(&branch, head, expected)? {
            RefPush::Done => return Ok(Pushed::Pushed),
            RefPush::UpToDate => return Ok(Pushed::AlreadyThere),
            RefPush::Refused(reason) => reason,
        };
        let found = self.ask_origin(&branch)?;
        if found.as_ref() == Some(head) {
            return Ok(Pushed::AlreadyThere);
        }
        if found.as_ref() == expected {
            return Err(GitError::Rejected { branch, reason: refused });
        }
        if let Some(ours) = &found
            && self.has_commit(ours)?
            && let RefPush::Done = self.push_ref(&branch, head, Some(ours))?
        {
            return Ok(Pushed::Pushed);
        }
        Err(GitError::LeaseLost { branch, expected: expected.cloned(), found })
    }

    /// Moves origin's branch from `expected_old` to `new`, which must contain it. Never drops a
    /// commit: a branch that moved meanwhile is left alone and reported.
    pub fn push_main(
        &self,
        branch: &str,
        new: &Revision,
        expected_old: &Revision,
    ) -> Result<Landing> {
        let branch = names::branch(branch)?;
        if !self.is_ancestor(expected_old, new)? {
            return Err(GitError::NotFastForward { old: expected_old.clone(), new: new.clone() });
        }
        let refused = match self.push_ref(branch, new, Some(expected_old))? {
            RefPush::Done => return Ok(Landing::Landed),
            RefPush::UpToDate => return Ok(Landing::AlreadyLanded),
            RefPush::Refused(reason) => reason,
        };
        self.fetch()?;
        let Some(now) = self.remote_head(branch)? else {
            return Err(GitError::NoSuchRef { name: format!("{branch} on the remote") });
        };
        if self.is_ancestor(new, &now)? {
            return Ok(Landing::AlreadyLanded);
        }
        if now == *expected_old {
            return Err(GitError::Rejected { branch: branch.to_owned(), reason: refused });
        }
        Ok(Landing::Moved { now })
    }

    /// Deletes the task's branch on origin; fine if it is not there.
    pub fn delete_remote_branch(&self, key: &TaskKey) -> Result<()> {
        let branch = key.branch();
        let push = ["push", "--porcelain", "--no-verify", "origin"];
        let out = self.bare().args(push).arg(format!(":refs/heads/{branch}")).network().run()?;
        if out.code == Some(0) {
            return Ok(());
        }
        match parse::push(&out.stdout) {
            Some(RefPush::Refused(_)) if self.ask_origin(&branch)?.is_none() => Ok(()),
            Some(RefPush::Refused(reason)) => Err(GitError::Rejected { branch, reason }),
            _ => Err(out.error()),
        }
    }

    /// One push of one ref under a lease; that the remote refuses is an answer.
    fn push_ref(
        &self,
        branch: &str,
        new: &Revision,
        expected: Option<&Revision>,
    ) -> Result<RefPush> {
        let lease = expected.map_or("", Revision::as_str);
        let out = self
            .bare()
            .args(["push", "--porcelain", "--no-verify"])
            .arg(format!("--force-with-lease=refs/heads/{branch}:{lease}"))
            .arg("origin")
            .arg(format!("{new}:refs/heads/{branch}"))
            .network()
            .run()?;
        match parse::push(&out.stdout) {
            Some(refused @ RefPush::Refused(_)) => Ok(refused),
            Some(done) if out.code == Some(0) => Ok(done),
            _ => Err(out.error()),
        }
    }

    /// Where a branch of origin is at this moment.
    fn ask_origin(&self, branch: &str) -> Result<Option<Revision>> {
        let name = format!("refs/heads/{branch}");
        let out = self.bare().args(["ls-remote", "origin", &name]).network().ok()?;
        Ok(parse::ls_remote(&out)?.head)
    }
}
