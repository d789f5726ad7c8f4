//! What can go wrong, named by what a caller can do about it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::ids::Revision;

/// The result of everything that starts git.
pub type Result<T> = std::result::Result<T, GitError>;

/// Why a git operation did not happen. A conflict is not among these: it is a value.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program is not there.
    #[error(
        "git is not installed or not on PATH (looked for {program:?}); install git 2.38 or newer"
    )]
    NotInstalled {
        /// What was looked for.
        program: PathBuf,
    },
    /// The program is there but lacks options that are used here.
    #[error("git {found} is too old; install git {needed} or newer")]
    TooOld {
        /// The version found.
        found: String,
        /// The oldest version that works.
        needed: String,
    },
    /// The network or the remote's host does not answer.
    #[error("the remote repository can't be reached: {detail}")]
    RemoteUnreachable {
        /// Git's own words.
        detail: String,
    },
    /// The remote wants credentials that git does not have.
    #[error(
        "the remote repository refused the credentials: {detail}; check that `git ls-remote` works \
         for the user that runs the service"
    )]
    AuthFailed {
        /// Git's own words.
        detail: String,
    },
    /// There is no repository where one was expected.
    #[error("{path:?} is not a git repository")]
    NotARepository {
        /// A folder or a remote's address.
        path: PathBuf,
    },
    /// A branch, revision or object that was asked for does not exist here.
    #[error("no such branch or revision: {name}")]
    NoSuchRef {
        /// The name, or git's own words about it.
        name: String,
    },
    /// A name from outside can't be handed to git.
    #[error("{given:?} is not a valid {what}: {rule}")]
    BadName {
        /// The kind of name.
        what: &'static str,
        /// What was given, cut to 80 characters.
        given: String,
        /// The form that is expected.
        rule: &'static str,
    },
    /// The remote branch is not what the push expected: somebody else moved it.
    #[error(
        "branch {branch} on the remote is at {}, not at {} as expected; somebody else pushed to it",
        at(found.as_ref()),
        at(expected.as_ref())
    )]
    LeaseLost {
        /// The branch on the remote.
        branch: String,
        /// What it should have been; `None`: it should not have existed.
        expected: Option<Revision>,
        /// What it is; `None`: it does not exist.
        found: Option<Revision>,
    },
    /// The remote declined a push that was in order: protected branch, hook, quota.
    #[error("the remote declined the push to {branch}: {reason}")]
    Rejected {
        /// The branch on the remote.
        branch: String,
        /// The remote's words.
        reason: String,
    },
    /// The new tip would drop commits that are on the branch.
    #[error("{new} does not contain {old}; pushing it would drop commits")]
    NotFastForward {
        /// The branch's tip.
        old: Revision,
        /// What was to be pushed.
        new: Revision,
    },
    /// Uncommitted or untracked files stand in the way.
    #[error("the worktree has changes in the way: {detail}; commit or discard them first")]
    Dirty {
        /// Git's own words.
        detail: String,
    },
    /// The place for a worktree or repository holds something that is not ours.
    #[error("{path:?} holds files that are not this service's; move them away")]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// Another git process holds a lock, or one that died left it behind.
    #[error("{path:?} is locked by another git process; if none is running, delete that file")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The folder that the command was to work in went away under it; it is made anew with the
    /// next attempt.
    #[error("the folder {path:?} is gone")]
    Gone {
        /// The folder.
        path: PathBuf,
    },
    /// No space or quota is left.
    #[error("no space is left on the disk: {detail}")]
    DiskFull {
        /// Git's own words.
        detail: String,
    },
    /// The command was ended because its time was up.
    #[error("`git {args}` did not end within {} s", after.as_secs())]
    TimedOut {
        /// The command, without the pinned settings.
        args: String,
        /// The limit.
        after: Duration,
    },
    /// The answer is larger than what is accepted.
    #[error("{what} is larger than {limit} bytes")]
    TooLarge {
        /// The file or command.
        what: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// Git printed something that this version does not understand.
    #[error("unexpected output of git ({what}): {line:?}")]
    Unreadable {
        /// What was being read.
        what: &'static str,
        /// The offending part, cut to 200 characters.
        line: String,
    },
    /// Any other failure.
    #[error("`git {args}` failed with {}: {stderr_tail}", exit(*code))]
    Failed {
        /// The command, without the pinned settings.
        args: String,
        /// The exit code; `None`: ended by a signal.
        code: Option<i32>,
        /// The end of what it said, at most 2 KiB.
        stderr_tail: String,
    },
    /// A file or process operation of our own failed.
    #[error("can't {doing} {path:?}")]
    Io {
        /// A verb, such as `read`.
        doing: &'static str,
        /// The file or program.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl GitError {
    /// Whether the same call may well succeed later without anybody's doing. A full disk is often
    /// one for a moment, by what somebody else writes and removes; who tries is limited anyway.
    pub fn is_transient(&self) -> bool {
        matches!(
            self,
            Self::RemoteUnreachable { .. }
                | Self::Locked { .. }
                | Self::TimedOut { .. }
                | Self::DiskFull { .. }
                | Self::Gone { .. }
        )
    }

    pub(crate) fn io(doing: &'static str, path: &Path, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::StorageFull {
            return Self::DiskFull { detail: format!("can't {doing} {}", path.display()) };
        }
        Self::Io { doing, path: path.to_owned(), source }
    }

    pub(crate) fn unreadable(what: &'static str, bytes: &[u8]) -> Self {
        let line = String::from_utf8_lossy(bytes).chars().take(200).collect();
        Self::Unreadable { what, line }
    }
}

/// The command's own words as one line for people, without credentials.
pub(crate) fn describe(args: &[impl AsRef<OsStr>]) -> String {
    let words: Vec<_> = args.iter().map(|arg| arg.as_ref().to_string_lossy()).collect();
    let line = redact(&words.join(" "));
    if line.chars().count() <= 300 {
        return line;
    }
    line.chars().take(300).chain("…".chars()).collect()
}

/// Blanks the user and password of every address in a text.
pub(crate) fn redact(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after
            .find(|c: char| c == '/' || c == '\'' || c == '"' || c.is_whitespace())
            .unwrap_or(after.len());
        match after[..end].rfind('@') {
            Some(user_end) => {
                out.push_str("***");
                rest = &after[user_end..];
            }
            None => rest = after,
        }
    }
    out.push_str(rest);
    out
}

fn at(revision: Option<&Revision>) -> String {
    revision.map_or_else(|| "nothing (absent)".to_owned(), |r| r.short().to_owned())
}

fn exit(code: Option<i32>) -> String {
    code.map_or_else(|| "a signal".to_owned(), |code| format!("exit code {code}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_never_reach_a_message() {
        for (given, shown) in [
            ("https://u:p@h/x.git", "https://***@h/x.git"),
            ("at 'https://tok@h' and ssh://git@h:22/y", "at 'https://***@h' and ssh://***@h:22/y"),
            ("https://u:p@ss@h/x", "https://***@h/x"),
            ("https://h/x@y", "https://h/x@y"),
            ("a://", "a://"),
            ("plain", "plain"),
        ] {
            assert_eq!(redact(given), shown);
        }
    }

    #[test]
    fn only_what_time_mends_is_transient() {
        let unreachable = GitError::RemoteUnreachable { detail: String::new() };
        let denied = GitError::AuthFailed { detail: String::new() };
        assert!(unreachable.is_transient());
        assert!(GitError::DiskFull { detail: String::new() }.is_transient());
        assert!(GitError::Gone { path: PathBuf::new() }.is_transient());
        assert!(!denied.is_transient());
    }
}
