//! Throws away what was not committed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::Result;
use crate::worktree::{StatusEntry, Worktree};
use crate::{files, names};

impl Worktree {
    /// Puts every file back to the last commit and removes untracked ones; ignored ones (build
    /// output) stay. Afterwards nothing is half-done either.
    pub fn discard_all(&self) -> Result<()> {
        self.recover()?;
        self.git().args(["reset", "--quiet", "--hard"]).ok()?;
        // Twice the force: nested repositories go as well.
        self.git().args(["clean", "-f", "-f", "-d", "--quiet"]).ok().map(drop)
    }

    /// Does the same to all files outside a folder and leaves the folder's as they are. Gives the
    /// paths that were put back or removed.
    pub fn discard_outside(&self, folder: &str) -> Result<Vec<String>> {
        let folder = names::inner_path(folder)?;
        self.settle()?;
        self.forget_operation()?;
        let outside = |entry: &StatusEntry| !is_under(entry.raw(), folder.as_bytes());
        let entries: Vec<_> = self.status(&[])?.into_iter().filter(outside).collect();
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        // Unstages everything: what was added is untracked from here on.
        self.git().args(["reset", "--quiet", "--mixed"]).ok()?;
        let entries: Vec<_> = self.status(&[])?.into_iter().filter(outside).collect();
        for entry in entries.iter().filter(|entry| entry.is_untracked()) {
            self.remove_untracked(entry.raw())?;
        }
        let tracked = entries.iter().filter(|e| !e.is_untracked() && !e.is_ignored());
        self.put_back(tracked.map(StatusEntry::raw))?;
        Ok(entries.iter().map(StatusEntry::path).collect())
    }

    fn put_back<'a>(&self, paths: impl Iterator<Item = &'a [u8]>) -> Result<()> {
        let list: Vec<u8> = paths.flat_map(|path| path.iter().copied().chain([0])).collect();
        if list.is_empty() {
            return Ok(());
        }
        let from = ["--pathspec-from-file=-", "--pathspec-file-nul"];
        let checkout = ["checkout", "--quiet", "--force", "HEAD"];
        self.git().args(checkout).args(from).input(list).ok().map(drop)
    }

    fn remove_untracked(&self, path: &[u8]) -> Result<()> {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let path = self.root.join(OsStr::from_bytes(path));
        files::remove_all(&path)?;
        self.remove_empty_folders(path.parent());
        Ok(())
    }

    /// Folders that hold nothing any more would stand in the way of a file of the same name.
    fn remove_empty_folders(&self, mut folder: Option<&Path>) {
        while let Some(path) = folder.filter(|path| *path != self.root) {
            if std::fs::remove_dir(path).is_err() {
                return;
            }
            folder = path.parent();
        }
    }
}

/// Whether a path is the folder or lies below it.
fn is_under(path: &[u8], folder: &[u8]) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

#[cfg(test)]
mod tests {
    use super::is_under;

    #[test]
    fn only_whole_parts_count() {
        for (path, under) in [("a/b", true), ("a/b/c", true), ("a/bc", false), ("a", false)] {
            assert_eq!(is_under(path.as_bytes(), b"a/b"), under, "{path}");
        }
    }
}
