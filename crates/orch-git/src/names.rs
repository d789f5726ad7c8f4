//! Checks of names that come from outside, before they become arguments.

use std::path::{Path, PathBuf};

use crate::error::{GitError, Result};

fn bad(what: &'static str, given: &str, rule: &'static str) -> GitError {
    GitError::BadName { what, given: given.chars().take(80).collect(), rule }
}

/// A branch's name as git itself allows it, without what a refspec or a flag could be made of.
pub(crate) fn branch(name: &str) -> Result<&str> {
    let part = |p: &str| {
        // Git's rule is about these very bytes, in lower case.
        !p.is_empty() && !p.starts_with('.') && p.strip_suffix(".lock").is_none()
    };
    let plain = |c: char| !c.is_control() && !" ~^:?*[\\".contains(c);
    let valid = name.len() <= 200
        && !name.starts_with('-')
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && name != "@"
        && name.chars().all(plain)
        && name.split('/').all(part);
    let rule = "a git branch name without spaces, '~^:?*[\\', '..', or a leading '-'";
    if valid { Ok(name) } else { Err(bad("branch name", name, rule)) }
}

/// A path inside a repository: relative, without empty parts, `.` or `..`.
pub(crate) fn inner_path(path: &str) -> Result<&str> {
    let valid = !path.is_empty()
        && path.len() <= 4096
        && !path.contains('\0')
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let rule = "relative to the repository's root, without '.', '..' or empty parts";
    if valid { Ok(path) } else { Err(bad("path in a repository", path, rule)) }
}

/// A remote's address; a relative path is made absolute, for git would read it from elsewhere.
pub(crate) fn remote(url: &str) -> Result<String> {
    let rule = "a URL, user@host:path or a folder, without control characters or a leading '-'";
    if url.is_empty() || url.starts_with('-') || url.chars().any(char::is_control) {
        return Err(bad("remote address", url, rule));
    }
    if url.contains("://") || url.contains("::") || is_scp_like(url) || url.starts_with('/') {
        return Ok(url.to_owned());
    }
    let path = absolute(Path::new(url))?;
    path.into_os_string().into_string().map_err(|_| bad("remote address", url, "valid UTF-8"))
}

/// `host:path`: a colon before the first slash.
fn is_scp_like(url: &str) -> bool {
    url.split('/').next().is_some_and(|first| first.contains(':'))
}

/// The path from the root, without asking the disk.
pub(crate) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| GitError::io("resolve", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_names_that_mean_something_else_are_refused() {
        for name in [
            "", "-f", "a b", "a..b", "a:b", "+a:b^", "a~1", "@", "@{u}", "a/", "/a", "a//b", ".a",
            "a/.b", "a.lock", "a.lock/b", "a\n", "a*", "a\\b", "a.",
        ] {
            assert!(branch(name).is_err(), "{name:?} passed");
        }
        for name in ["main", "release/1.x", "größe", "a-b_c", "v1.0"] {
            assert!(branch(name).is_ok(), "{name:?} refused");
        }
    }

    #[test]
    fn paths_that_leave_the_repository_are_refused() {
        for path in ["", "/etc", "..", "a/../b", "a//b", "./a", "a/", "a\0b"] {
            assert!(inner_path(path).is_err(), "{path:?} passed");
        }
        for path in ["a", "a/b c/ü", "-x", "a\nb", ":(top)x"] {
            assert!(inner_path(path).is_ok(), "{path:?} refused");
        }
    }

    #[test]
    fn remotes_keep_their_meaning_from_any_folder() {
        for bad in ["", "--upload-pack=x", "a\nb"] {
            assert!(remote(bad).is_err(), "{bad:?} passed");
        }
        for same in ["https://h/x", "git@h:x/y.git", "/srv/x.git", "host:x"] {
            assert_eq!(remote(same).unwrap(), same);
        }
        assert!(remote("../x.git").unwrap().starts_with('/'));
    }
}
