//! File operations of our own, with the errors named.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::{GitError, Result};

/// A lock older than this belongs to no running command: each of ours has ended by then.
const STALE: Duration = Duration::from_mins(15);

/// Removes a file if it is there.
pub(crate) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if !matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Err(GitError::io("remove", path, e))
        }
        _ => Ok(()),
    }
}

/// Removes a file or a whole folder if it is there, also where folders were made read-only
/// (package caches do that). Symbolic links are removed, never followed.
pub fn remove_all(path: &Path) -> Result<()> {
    let Ok(meta) = fs::symlink_metadata(path) else { return Ok(()) };
    if !meta.is_dir() {
        return remove_file(path);
    }
    let gone = match fs::remove_dir_all(path) {
        Err(e)
            if matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::DirectoryNotEmpty) =>
        {
            unlock_folders(path);
            fs::remove_dir_all(path)
        }
        other => other,
    };
    match gone {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(GitError::io("remove", path, e)),
        _ => Ok(()),
    }
}

/// Best effort: the removal that follows reports what is still wrong.
fn unlock_folders(path: &Path) {
    drop(fs::set_permissions(path, fs::Permissions::from_mode(0o700)));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            unlock_folders(&entry.path());
        }
    }
}

/// Makes a folder and those above it.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| GitError::io("make", path, e))
}

/// Replaces a small file in one step, so that a crash leaves the old or the new one.
pub(crate) fn write(path: &Path, content: &str) -> Result<()> {
    let beside = path.with_extension("orch-new");
    fs::write(&beside, content).map_err(|e| GitError::io("write", &beside, e))?;
    fs::rename(&beside, path).map_err(|e| GitError::io("write", path, e))
}

/// The path with its parent's links resolved, as git writes it; the last part need not exist.
pub(crate) fn real(path: &Path) -> Result<std::path::PathBuf> {
    let path = crate::names::absolute(path)?;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(path) };
    make_folder(parent)?;
    let parent = fs::canonicalize(parent).map_err(|e| GitError::io("resolve", parent, e))?;
    Ok(parent.join(name))
}

/// Whether a path is not there or is an empty folder.
pub(crate) fn is_free(path: &Path) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) => e.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err(),
    }
}

/// Removes the lock files that lie in a folder itself.
pub(crate) fn remove_locks(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "lock") {
            remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes lock files that a machine's crash left in a git directory; those of running commands
/// are younger. Objects are not looked through: git itself expires its temporary ones.
pub(crate) fn clear_stale_locks(git_dir: &Path) {
    let top = ["packed-refs.lock", "config.lock", "HEAD.lock", "shallow.lock"];
    for name in top {
        clear_if_stale(&git_dir.join(name));
    }
    for below in ["refs", "worktrees"] {
        clear_below(&git_dir.join(below));
    }
}

fn clear_below(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            clear_below(&path);
        } else if path.extension().is_some_and(|e| e == "lock") {
            clear_if_stale(&path);
        }
    }
}

fn clear_if_stale(path: &Path) {
    let Ok(meta) = fs::symlink_metadata(path) else { return };
    let age = meta.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
    if meta.is_file() && age.is_some_and(|age| age > STALE) {
        // Best effort: the command that meets the lock reports it by name.
        drop(fs::remove_file(path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_folders_are_removed_and_links_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let kept = dir.path().join("kept");
        fs::create_dir_all(dir.path().join("a/b/c")).unwrap();
        fs::create_dir(&kept).unwrap();
        fs::write(kept.join("f"), "x").unwrap();
        fs::write(dir.path().join("a/b/c/f"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, dir.path().join("a/b/link")).unwrap();
        for folder in ["a/b/c", "a/b"] {
            let mode = fs::Permissions::from_mode(0o500);
            fs::set_permissions(dir.path().join(folder), mode).unwrap();
        }
        remove_all(&dir.path().join("a")).unwrap();
        remove_all(&dir.path().join("a")).unwrap();
        assert!(!dir.path().join("a").exists() && kept.join("f").exists());
    }

    #[test]
    fn only_old_locks_are_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let refs = dir.path().join("refs/heads");
        fs::create_dir_all(&refs).unwrap();
        let (old, young) = (refs.join("a.lock"), refs.join("b.lock"));
        for path in [&old, &young] {
            fs::write(path, "").unwrap();
        }
        let long_ago = SystemTime::now() - 2 * STALE;
        fs::File::options().write(true).open(&old).unwrap().set_modified(long_ago).unwrap();
        clear_stale_locks(dir.path());
        assert!(!old.exists() && young.exists());
    }
}
