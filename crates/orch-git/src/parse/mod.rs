//! Pure readers of what git prints; everything asked for with `-z`, so that no file name can
//! look like a separator.

mod objects;
mod remote;

use orch_core::ids::Revision;

use crate::error::{GitError, Result};
use crate::mirror::WorktreeInfo;
use crate::objects::{ChangeKind, ChangedPath, CommitSummary, DiffStat};
use crate::worktree::StatusEntry;

pub(crate) use objects::{Found, batch, ls_tree, tree_entries};
pub(crate) use remote::{RefPush, ls_remote, push};

/// Text for people out of bytes; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An object id alone on a line.
pub(crate) fn revision(bytes: &[u8]) -> Result<Revision> {
    let line = text(bytes.trim_ascii());
    Revision::new(line).map_err(|_| GitError::unreadable("object id", bytes))
}

/// The parts of NUL-terminated output.
pub(crate) fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.strip_suffix(b"\0").unwrap_or(bytes).split(|b| *b == 0).filter(move |_| !bytes.is_empty())
}

/// `git --version`, also with a vendor's or a candidate's suffix.
pub(crate) fn version(line: &str) -> Option<(u32, u32, u32)> {
    let words = line.trim().strip_prefix("git version ")?;
    let mut numbers = words.split_whitespace().next()?.split(['.', '-']).map(str::parse::<u32>);
    let major = numbers.next()?.ok()?;
    let minor = numbers.next()?.ok()?;
    let patch = numbers.next().and_then(std::result::Result::ok).unwrap_or(0);
    Some((major, minor, patch))
}

/// `git status --porcelain=v1 -z --no-renames`.
pub(crate) fn status(bytes: &[u8]) -> Result<Vec<StatusEntry>> {
    let entry = |record: &[u8]| match record {
        [x, y, b' ', path @ ..] if !path.is_empty() => Ok(StatusEntry::new(*x, *y, path)),
        _ => Err(GitError::unreadable("status", record)),
    };
    records(bytes).map(entry).collect()
}

/// The head commit and branch of `git status --porcelain=v2 --branch -z`; `None` before the
/// first commit, or while detached.
pub(crate) fn status_branch(bytes: &[u8]) -> (Option<Revision>, Option<String>) {
    let header =
        |name: &str| records(bytes).find_map(|r| text(r).strip_prefix(name).map(ToOwned::to_owned));
    let head = header("# branch.oid ").and_then(|oid| Revision::new(oid).ok());
    let branch = header("# branch.head ").filter(|name| name != "(detached)");
    (head, branch)
}

/// A path with unmerged index entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unmerged {
    pub path: Vec<u8>,
    /// The file's mode in base, onto (stage 2) and the task's commit (stage 3).
    pub modes: [Option<u32>; 3],
}

/// `git ls-files -u -z`: one record per path and stage, grouped by path.
pub(crate) fn unmerged(bytes: &[u8]) -> Result<Vec<Unmerged>> {
    let mut all: Vec<Unmerged> = Vec::new();
    for record in records(bytes) {
        let (mode, stage, path) =
            unmerged_record(record).ok_or_else(|| GitError::unreadable("ls-files", record))?;
        if all.last().is_none_or(|last| last.path != path) {
            all.push(Unmerged { path: path.to_owned(), modes: [None; 3] });
        }
        if let Some(last) = all.last_mut() {
            last.modes[stage - 1] = Some(mode);
        }
    }
    Ok(all)
}

fn unmerged_record(record: &[u8]) -> Option<(u32, usize, &[u8])> {
    let tab = record.iter().position(|b| *b == b'\t')?;
    let head = std::str::from_utf8(&record[..tab]).ok()?;
    let mut words = head.split(' ');
    let mode = u32::from_str_radix(words.next()?, 8).ok()?;
    let stage: usize = words.nth(1)?.parse().ok()?;
    (1..=3).contains(&stage).then_some((mode, stage, &record[tab + 1..]))
}

/// `git diff-tree -r -z --name-status --no-renames`.
pub(crate) fn name_status(bytes: &[u8]) -> Result<Vec<ChangedPath>> {
    let mut parts = records(bytes);
    let mut all = Vec::new();
    while let Some(kind) = parts.next() {
        let unreadable = || GitError::unreadable("diff", kind);
        let path = text(parts.next().ok_or_else(unreadable)?);
        let kind = match kind {
            b"A" => ChangeKind::Added,
            b"D" => ChangeKind::Deleted,
            b"M" | b"T" => ChangeKind::Modified,
            _ => return Err(unreadable()),
        };
        all.push(ChangedPath { kind, path });
    }
    Ok(all)
}

/// `git diff-tree -r -z --numstat --no-renames`; binary files count as files only.
pub(crate) fn numstat(bytes: &[u8]) -> Result<DiffStat> {
    let mut total = DiffStat::default();
    for record in records(bytes) {
        let line = text(record);
        let mut words = line.splitn(3, '\t');
        let (Some(plus), Some(minus), Some(_)) = (words.next(), words.next(), words.next()) else {
            return Err(GitError::unreadable("diff", record));
        };
        total.files += 1;
        total.insertions += plus.parse::<u64>().unwrap_or(0);
        total.deletions += minus.parse::<u64>().unwrap_or(0);
    }
    Ok(total)
}

/// The format that [`log`] reads.
pub(crate) const LOG_FORMAT: &str = "--format=tformat:%H%x00%P%x00%an%x00%ae%x00%at%x00%s";

/// `git log -z` with [`LOG_FORMAT`]: six NUL-terminated fields a commit.
pub(crate) fn log(bytes: &[u8]) -> Result<Vec<CommitSummary>> {
    let fields: Vec<&[u8]> = records(bytes).collect();
    if !fields.len().is_multiple_of(6) {
        return Err(GitError::unreadable("log", bytes));
    }
    fields.chunks(6).map(log_entry).collect()
}

fn log_entry(fields: &[&[u8]]) -> Result<CommitSummary> {
    let parents = text(fields[1]);
    let parents = parents.split_whitespace().map(|oid| revision(oid.as_bytes()));
    Ok(CommitSummary {
        revision: revision(fields[0])?,
        parents: parents.collect::<Result<_>>()?,
        author: text(fields[2]),
        email: text(fields[3]),
        // A commit made with a broken clock or by hand may carry anything.
        authored_at: text(fields[4]).parse().unwrap_or(0),
        subject: text(fields[5]),
    })
}

/// `git worktree list --porcelain -z`, without the bare repository itself.
pub(crate) fn worktrees(bytes: &[u8]) -> Vec<WorktreeInfo> {
    let mut all: Vec<WorktreeInfo> = Vec::new();
    for record in bytes.split(|b| *b == 0) {
        let (word, rest) = match record.iter().position(|b| *b == b' ') {
            Some(at) => (&record[..at], &record[at + 1..]),
            None => (record, &b""[..]),
        };
        if word == b"worktree" {
            all.push(WorktreeInfo::at(rest));
            continue;
        }
        let Some(last) = all.last_mut() else { continue };
        match word {
            b"HEAD" => last.head = revision(rest).ok(),
            b"branch" => last.branch = text(rest).strip_prefix("refs/heads/").map(str::to_owned),
            b"prunable" => last.prunable = true,
            b"bare" => last.bare = true,
            _ => {}
        }
    }
    all.retain(|entry| !entry.bare);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "2bc8468b99aaff4527ab036a2b03937c104045ac";

    #[test]
    fn versions_of_all_vendors_are_read() {
        for (line, expected) in [
            ("git version 2.47.3\n", Some((2, 47, 3))),
            ("git version 2.39.5 (Apple Git-154)", Some((2, 39, 5))),
            ("git version 2.45.1.windows.1", Some((2, 45, 1))),
            ("git version 2.50.0-rc1", Some((2, 50, 0))),
            ("git version 2.49.GIT", Some((2, 49, 0))),
            ("git version", None),
            ("hg 1.2.3", None),
            ("git version x.y", None),
        ] {
            assert_eq!(version(line), expected, "{line}");
        }
    }

    #[test]
    fn status_keeps_every_byte_of_a_name() {
        let entries = status(b" M a b\0?? new\nline\0!! \xff\0D  -x\0").unwrap();
        let seen: Vec<_> = entries.iter().map(|e| (e.path(), e.is_untracked())).collect();
        let expected = [("a b", false), ("new\nline", true), ("\u{fffd}", false), ("-x", false)];
        assert_eq!(seen, expected.map(|(p, u)| (p.to_owned(), u)));
        assert!(status(b"").unwrap().is_empty());
        assert!(status(b"M\0").is_err());
    }

    #[test]
    fn branch_headers_are_read() {
        let out = format!("# branch.oid {OID}\0# branch.head orch/A-1\0");
        let (head, branch) = status_branch(out.as_bytes());
        assert_eq!((head.unwrap().as_str(), branch.as_deref()), (OID, Some("orch/A-1")));
        let (head, branch) = status_branch(b"# branch.oid (initial)\0# branch.head (detached)\0");
        assert_eq!((head, branch), (None, None));
    }

    #[test]
    fn unmerged_entries_are_grouped_by_path() {
        let out = format!(
            "100644 {OID} 1\ta\tb\0100755 {OID} 2\ta\tb\0100644 {OID} 3\ta\tb\0120000 {OID} 3\tc\0"
        );
        let all = unmerged(out.as_bytes()).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].path, b"a\tb");
        assert_eq!(all[0].modes, [Some(0o100_644), Some(0o100_755), Some(0o100_644)]);
        assert_eq!(all[1].modes, [None, None, Some(0o120_000)]);
        for bad in ["x\0", "100644 x 4\ta\0", "100644 x 0\ta\0", "zz x 1\ta\0"] {
            assert!(unmerged(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn diffs_are_read() {
        let changes = name_status(b"A\0new\0M\0a\nb\0D\0old\0T\0link\0").unwrap();
        assert_eq!(changes.len(), 4);
        assert_eq!((changes[1].kind, changes[1].path.as_str()), (ChangeKind::Modified, "a\nb"));
        assert!(name_status(b"A\0").is_err());
        assert!(name_status(b"").unwrap().is_empty());
        let stat = numstat(b"3\t1\ta\tb\0-\t-\tbin\0").unwrap();
        assert_eq!(stat, DiffStat { files: 2, insertions: 3, deletions: 1 });
    }

    #[test]
    fn logs_with_odd_names_are_read() {
        let out = format!("{OID}\0{OID} {OID}\0A\x1f B\0\00x\0s: t\0{OID}\0\0\0e\012\0\0");
        let all = log(out.as_bytes()).unwrap();
        assert_eq!((all.len(), all[0].parents.len(), all[0].authored_at), (2, 2, 0));
        assert_eq!((all[1].authored_at, all[1].subject.as_str()), (12, ""));
        assert!(log(b"").unwrap().is_empty());
        assert!(log(b"x\0y\0").is_err());
    }

    #[test]
    fn worktree_lists_are_read() {
        let out = format!(
            "worktree /m.git\0bare\0\0worktree /w 1\nx\0HEAD {OID}\0branch refs/heads/orch/A-1\0\0\
             worktree /w2\0HEAD {OID}\0detached\0prunable gitdir file points nowhere\0\0"
        );
        let all = worktrees(out.as_bytes());
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].key().unwrap().to_string(), "A-1");
        assert_eq!(all[0].path, std::path::Path::new("/w 1\nx"));
        assert!(all[1].prunable && all[1].branch.is_none() && all[1].key().is_none());
    }
}
