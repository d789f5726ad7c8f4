//! Where a script may write: inside the worktree, never through a link, never in git's own files.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::perform::ScriptContext;

/// A path of the worktree. Fails where it would lead elsewhere.
pub(super) fn inside(worktree: &Path, path: &Path) -> io::Result<PathBuf> {
    let refuse = |why: &str| Err(io::Error::other(format!("the path {} {why}", path.display())));
    if path.as_os_str().is_empty() {
        return refuse("is empty; name a file of the worktree");
    }
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return refuse("leaves the worktree; give a relative path without `.` and `..`");
    }
    let mut at = worktree.to_owned();
    for part in path.components() {
        if part.as_os_str().eq_ignore_ascii_case(".git") {
            return refuse("is git's own; run git instead");
        }
        at.push(part);
        if fs::symlink_metadata(&at).is_ok_and(|found| found.is_symlink()) {
            return refuse("leads through a symlink; name the file itself");
        }
    }
    Ok(at)
}

/// The artifact folder, relative to the worktree. Fails where it is not inside.
pub(super) fn artifact_dir(context: &ScriptContext) -> io::Result<PathBuf> {
    if let Ok(relative) = context.artifact_dir.strip_prefix(&context.worktree) {
        return Ok(relative.to_owned());
    }
    // The two may spell the same place differently where a folder above them is a link.
    let worktree = context.worktree.canonicalize()?;
    for above in context.artifact_dir.ancestors() {
        let Ok(real) = above.canonicalize() else { continue };
        let below = context.artifact_dir.strip_prefix(above).unwrap_or(Path::new(""));
        if let Ok(relative) = real.join(below).strip_prefix(&worktree) {
            return Ok(relative.to_owned());
        }
        break;
    }
    Err(io::Error::other(format!(
        "the artifact folder {} is not inside the worktree {}",
        context.artifact_dir.display(),
        context.worktree.display()
    )))
}
