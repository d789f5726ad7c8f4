//! Reads the reason of a failed command out of what git said. The locale is pinned, so the
//! words are git's English ones; what is not recognised stays `Failed` with the text.

use std::path::PathBuf;

use orch_core::verdict::tail;

use crate::error::{GitError, redact};

/// The most of git's own words that an error carries, in bytes.
const STDERR_TAIL: usize = 2048;

/// Names the reason of a failure, most specific first: git often adds a generic line after the
/// telling one.
pub(crate) fn classify(args: String, code: Option<i32>, stderr: &[u8]) -> GitError {
    let text = redact(String::from_utf8_lossy(stderr).trim());
    if let Some(detail) = line_with(&text, DISK) {
        return GitError::DiskFull { detail };
    }
    if let Some(line) = line_with(&text, GONE)
        && line.ends_with("No such file or directory")
    {
        return GitError::Gone { path: quoted(&line).unwrap_or(line).into() };
    }
    if let Some(line) = line_with(&text, LOCK) {
        // A branch named like another one's folder: no other process is involved.
        if !line.contains("exists; cannot create") {
            return GitError::Locked { path: lock_path(&line) };
        }
    }
    if let Some(detail) = line_with(&text, AUTH) {
        return GitError::AuthFailed { detail };
    }
    if let Some(line) = line_with(&text, NO_REPOSITORY) {
        return GitError::NotARepository { path: quoted(&line).unwrap_or(line).into() };
    }
    if let Some(detail) = line_with(&text, NETWORK) {
        return GitError::RemoteUnreachable { detail };
    }
    if let Some(detail) = line_with(&text, DIRTY) {
        return GitError::Dirty { detail };
    }
    if let Some(line) = line_with(&text, NO_REF) {
        return GitError::NoSuchRef { name: strip_prefix(&line) };
    }
    GitError::Failed { args, code, stderr_tail: tail(&text, STDERR_TAIL).to_owned() }
}

/// The last is what git says of a reference that it can't write, without a word on the cause.
const DISK: &[&str] =
    &["No space left on device", "Disk quota exceeded", "Out of diskspace", "couldn't write '"];
/// A folder that a command was to work in.
const GONE: &[&str] = &["cannot change to '"];
const LOCK: &[&str] = &[
    ".lock': File exists",
    "cannot lock ref",
    "could not lock config file",
    "Unable to write new index file",
];
const AUTH: &[&str] = &[
    "Authentication failed",
    "Permission denied (",
    "could not read Username",
    "could not read Password",
    "Host key verification failed",
    "returned error: 401",
    "returned error: 403",
    "terminal prompts disabled",
];
const NO_REPOSITORY: &[&str] = &[
    "not a git repository",
    "does not appear to be a git repository",
    "Repository not found",
    "' not found",
    "returned error: 404",
];
const NETWORK: &[&str] = &[
    "Could not resolve host",
    "Connection refused",
    "Connection timed out",
    "Connection reset",
    "Connection closed",
    "Network is unreachable",
    "No route to host",
    "Operation timed out",
    "unable to access",
    "RPC failed",
    "early EOF",
    "hung up unexpectedly",
    "Could not read from remote repository",
    "returned error: 5",
];
const DIRTY: &[&str] = &[
    "cannot rebase: ",
    "would be overwritten by",
    "Please commit or stash",
    "Your index contains uncommitted changes",
];
const NO_REF: &[&str] = &[
    "unknown revision",
    "bad revision",
    "Needed a single revision",
    "ot a valid object name",
    "ot a valid commit name",
    "invalid reference",
    "not a valid branch point",
    "bad object",
    "invalid upstream",
    "couldn't find remote ref",
];

fn line_with(text: &str, marks: &[&str]) -> Option<String> {
    text.lines()
        .find(|line| marks.iter().any(|mark| line.contains(mark)))
        .map(|line| line.trim().chars().take(500).collect())
}

fn quoted(line: &str) -> Option<String> {
    let (_, rest) = line.split_once('\'')?;
    let (inner, _) = rest.rsplit_once('\'')?;
    Some(inner.to_owned()).filter(|inner| !inner.is_empty())
}

/// The lock file's path out of `Unable to create '/x/index.lock': File exists.`
fn lock_path(line: &str) -> PathBuf {
    let config = line.split_once("lock config file ").and_then(|(_, rest)| rest.rsplit_once(": "));
    if let Some((path, _)) = config {
        return format!("{path}.lock").into();
    }
    let at_lock = line.find(".lock'").map(|end| &line[..end + 5]);
    at_lock
        .and_then(|head| head.rsplit_once('\'').map(|(_, path)| path.to_owned()))
        .or_else(|| quoted(line))
        .unwrap_or_else(|| line.to_owned())
        .into()
}

fn strip_prefix(line: &str) -> String {
    line.strip_prefix("fatal: ").or_else(|| line.strip_prefix("error: ")).unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(error: &GitError) -> &'static str {
        match error {
            GitError::DiskFull { .. } => "disk",
            GitError::Gone { .. } => "gone",
            GitError::Locked { .. } => "lock",
            GitError::AuthFailed { .. } => "auth",
            GitError::NotARepository { .. } => "repo",
            GitError::RemoteUnreachable { .. } => "net",
            GitError::Dirty { .. } => "dirty",
            GitError::NoSuchRef { .. } => "ref",
            _ => "failed",
        }
    }

    #[test]
    fn recorded_failures_are_named() {
        for (said, expected) in [
            (
                "fatal: Unable to create '/m/x/index.lock': File exists.\n\nAnother git process seems to be running",
                "lock",
            ),
            (
                "error: cannot lock ref 'refs/heads/a': Unable to create '/m/refs/heads/a.lock': File exists.",
                "lock",
            ),
            ("error: cannot lock ref 'refs/heads/a': is at 1 but expected 2", "lock"),
            (
                "error: cannot lock ref 'refs/heads/a/b': 'refs/heads/a' exists; cannot create 'refs/heads/a/b'",
                "failed",
            ),
            (
                "fatal: '../nope' does not appear to be a git repository\nfatal: Could not read from remote repository.",
                "repo",
            ),
            ("remote: Repository not found.\nfatal: repository 'https://h/x/' not found", "repo"),
            (
                "git@h: Permission denied (publickey).\r\nfatal: Could not read from remote repository.",
                "auth",
            ),
            ("fatal: could not read Username for 'https://h': terminal prompts disabled", "auth"),
            ("fatal: Authentication failed for 'https://h/'", "auth"),
            (
                "ssh: Could not resolve hostname h: x\nfatal: Could not read from remote repository.",
                "net",
            ),
            ("fatal: unable to access 'https://h/': Could not resolve host: h", "net"),
            ("fatal: unable to access 'https://h/': The requested URL returned error: 403", "auth"),
            ("fatal: the remote end hung up unexpectedly", "net"),
            (
                "error: file write error: No space left on device\nfatal: unable to write loose object file",
                "disk",
            ),
            (
                "fatal: sha1 file '/m/worktrees/T-1/index.lock' write error. Out of diskspace",
                "disk",
            ),
            (
                "error: cannot update ref 'refs/heads/a': couldn't write '/m/refs/heads/a.lock'",
                "disk",
            ),
            ("fatal: cannot change to '/w/T-1': No such file or directory", "gone"),
            ("fatal: cannot change to '/w/T-1': Permission denied", "failed"),
            (
                "error: cannot rebase: You have unstaged changes.\nerror: Please commit or stash them.",
                "dirty",
            ),
            (
                "error: The following untracked working tree files would be overwritten by checkout:\n\tf",
                "dirty",
            ),
            ("fatal: invalid reference: deadbeef", "ref"),
            // git 2.39's words for the same.
            ("fatal: not a valid branch point: 'deadbeef'", "ref"),
            ("fatal: Not a valid commit name deadbeef", "ref"),
            (
                "fatal: ambiguous argument 'zzz': unknown revision or path not in the working tree.",
                "ref",
            ),
            ("BUG: something", "failed"),
            ("", "failed"),
        ] {
            assert_eq!(word(&classify("x".into(), Some(128), said.as_bytes())), expected, "{said}");
        }
    }

    #[test]
    fn a_lock_names_its_file() {
        for (said, path) in [
            ("error: could not lock config file /m/config: File exists", "/m/config.lock"),
            ("fatal: Unable to create '/m/x y/index.lock': File exists.", "/m/x y/index.lock"),
            (
                "error: cannot lock ref 'refs/a': Unable to create '/m/a.lock': File exists.",
                "/m/a.lock",
            ),
        ] {
            let GitError::Locked { path: found } = classify("x".into(), Some(1), said.as_bytes())
            else {
                panic!("not a lock: {said}");
            };
            assert_eq!(found, PathBuf::from(path));
        }
    }

    #[test]
    fn long_and_invalid_text_stays_bounded() {
        let mut said = vec![0xff; 100_000];
        said.extend_from_slice(b" end");
        let error = classify("x".into(), None, &said);
        let GitError::Failed { stderr_tail, .. } = &error else { panic!("{error:?}") };
        assert!(stderr_tail.len() <= STDERR_TAIL && stderr_tail.ends_with("end"));
    }
}
