//! The files of a revision in a folder of their own, on no branch.

use std::path::{Path, PathBuf};

use orch_core::ids::Revision;

use crate::error::Result;
use crate::files;
use crate::mirror::Mirror;

impl Mirror {
    /// Puts the files of a revision into a folder that is ours or free, whatever stands there;
    /// [`Mirror::remove_worktree`] takes it away again.
    pub fn checkout_at(&self, revision: &Revision, path: &Path) -> Result<PathBuf> {
        self.remove_worktree(path)?;
        let root = files::real(path)?;
        let add = self.bare().args(["worktree", "add", "--quiet", "--force", "--detach"]);
        add.arg(&root).arg(revision.as_str()).ok()?;
        Ok(root)
    }
}
