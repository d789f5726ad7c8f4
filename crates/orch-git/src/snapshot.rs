//! A revision's files in a folder of their own, for somebody who works beside the task and whose
//! work is thrown away.

use std::path::Path;

use orch_core::ids::Revision;

use crate::command::Place;
use crate::error::{GitError, Result};
use crate::files;
use crate::mirror::Mirror;

impl Mirror {
    /// Makes a repository at `path` with a revision checked out, which shares this mirror's objects
    /// and knows of no remote: nothing that is committed there reaches anybody. The place has to be
    /// free.
    pub fn snapshot(&self, revision: &Revision, path: &Path) -> Result<()> {
        let root = files::real(path)?;
        if !files::is_free(&root) {
            return Err(GitError::Occupied { path: root });
        }
        let clone = ["clone", "--quiet", "--shared", "--no-checkout", "--"];
        self.git.at(Place::Nowhere).args(clone).arg(&self.git_dir).arg(&root).ok()?;
        let at = || self.git.at(Place::Folder(&root));
        at().args(["remote", "remove", "origin"]).ok()?;
        at().args(["checkout", "--quiet", "--detach", revision.as_str()]).ok().map(drop)
    }
}
