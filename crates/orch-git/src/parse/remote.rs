//! Readers of what commands print that talk to a remote.

use orch_core::ids::Revision;

use crate::error::{GitError, Result};
use crate::parse::text;

/// What became of one ref of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RefPush {
    /// The remote's branch moved, was made, or was deleted.
    Done,
    /// It was there already.
    UpToDate,
    /// It was not done; the summary says why.
    Refused(String),
}

/// The one ref's line of `git push --porcelain`; `None` where git did not come that far.
pub(crate) fn push(bytes: &[u8]) -> Option<RefPush> {
    text(bytes).lines().find_map(|line| {
        let (flag, rest) = line.split_once('\t')?;
        let summary = rest.split_once('\t').map_or("", |(_, summary)| summary);
        match flag {
            " " | "+" | "*" | "-" => Some(RefPush::Done),
            "=" => Some(RefPush::UpToDate),
            "!" => Some(RefPush::Refused(summary.to_owned())),
            _ => None,
        }
    })
}

/// What `git ls-remote --symref` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct RemoteHead {
    /// The branch that `HEAD` points at.
    pub default_branch: Option<String>,
    /// The first object id listed.
    pub head: Option<Revision>,
}

/// `git ls-remote [--symref]` for one name.
pub(crate) fn ls_remote(bytes: &[u8]) -> Result<RemoteHead> {
    let mut found = RemoteHead::default();
    for line in text(bytes).lines() {
        let (value, _) =
            line.split_once('\t').ok_or_else(|| GitError::unreadable("ls-remote", bytes))?;
        if let Some(branch) = value.strip_prefix("ref: refs/heads/") {
            found.default_branch = Some(branch.to_owned());
        } else if found.head.is_none() {
            found.head = Revision::new(value).ok();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "2bc8468b99aaff4527ab036a2b03937c104045ac";

    #[test]
    fn recorded_pushes_are_read() {
        let refused = |why: &str| Some(RefPush::Refused(why.to_owned()));
        for (out, expected) in [
            ("To ../o.git\n*\tx:refs/heads/q\t[new branch]\nDone\n", Some(RefPush::Done)),
            ("To ../o.git\n \tx:refs/heads/q\t1..2\nDone\n", Some(RefPush::Done)),
            ("To ../o.git\n+\tx:refs/heads/q\t1...2 (forced update)\nDone\n", Some(RefPush::Done)),
            ("To ../o.git\n-\t:refs/heads/q\t[deleted]\nDone\n", Some(RefPush::Done)),
            ("To o\n=\tx:refs/heads/q\t[up to date]\nDone\n", Some(RefPush::UpToDate)),
            (
                "To o\n!\tx:refs/heads/q\t[rejected] (stale info)\nDone\n",
                refused("[rejected] (stale info)"),
            ),
            ("To o\n!\tx:refs/heads/q\n", refused("")),
            ("", None),
            ("To a\tb\n", None),
        ] {
            assert_eq!(push(out.as_bytes()), expected, "{out}");
        }
    }

    #[test]
    fn remote_heads_are_read() {
        let out = format!("ref: refs/heads/release/1\tHEAD\n{OID}\tHEAD\n");
        let found = ls_remote(out.as_bytes()).unwrap();
        assert_eq!(found.default_branch.as_deref(), Some("release/1"));
        assert_eq!(found.head.unwrap().as_str(), OID);
        assert_eq!(ls_remote(b"").unwrap(), RemoteHead::default());
        assert!(ls_remote(b"garbage").is_err());
    }
}
