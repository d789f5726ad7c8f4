//! Rebase of a task's branch. Whether it conflicts is read from the index, never from an exit
//! code: any other failure is the infrastructure's.

use std::fs;
use std::io::Read;
use std::path::Path;

use orch_core::ids::Revision;
use orch_core::verdict::Finding;

use crate::error::{GitError, Result};
use crate::parse::{self, Unmerged};
use crate::worktree::Worktree;

/// The most conflicting files that are described: a brief stays readable.
const MAX_HUNKS: usize = 20;
/// The most text of one file, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// The most that is read of a file in search of its conflicts, in bytes.
const MAX_READ: u64 = 4 * 1024 * 1024;
/// Lines shown before and after each conflict.
const CONTEXT: usize = 3;

const SYMLINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

/// What a rebase came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Rebase {
    /// The branch contains the target already; nothing was done.
    UpToDate,
    /// The branch's commits now stand on the target.
    Rebased {
        /// The branch's old tip.
        from: Revision,
        /// Its new tip.
        to: Revision,
    },
    /// The changes collide; the worktree is back at its old tip and clean.
    Conflict {
        /// What collides, at most 20 files.
        hunks: Vec<ConflictHunk>,
    },
}

/// What collides in one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictHunk {
    /// Relative to the root; bytes that are not UTF-8 are shown as U+FFFD.
    pub path: String,
    /// The conflicting lines with git's markers, or a sentence where there are no lines; at most
    /// 8 KiB.
    pub text: String,
}

impl ConflictHunk {
    /// The conflict as a finding for the next brief.
    pub fn finding(&self) -> Finding {
        Finding::new(format!("rebase conflict in {}", self.path)).with_detail(&self.text)
    }
}

impl Worktree {
    /// Rebases the task's branch onto a revision. Commits that are on it already are dropped,
    /// merges are flattened. Uncommitted changes are [`GitError::Dirty`]. A rebase that an earlier
    /// call left half-done is aborted first.
    pub fn rebase(&self, onto: &Revision) -> Result<Rebase> {
        self.recover()?;
        let (from, base) = self.head_and_base(onto)?;
        if base.as_ref() == Some(onto) {
            return Ok(Rebase::UpToDate);
        }
        self.refuse_changes()?;
        let flags = ["rebase", "--quiet", "--empty=drop", "--no-fork-point", "--no-verify"];
        let plain = ["--no-rebase-merges", "--no-gpg-sign", "--no-stat", "--merge"];
        let out = self.git().args(flags).args(plain).arg(onto.as_str()).run();
        let failure = match out {
            Ok(out) if out.code == Some(0) && !self.rebasing() => {
                return Ok(Rebase::Rebased { from, to: self.head()? });
            }
            Ok(out) => out.error(),
            Err(error) => error,
        };
        // A rebase stops in its middle for a conflict; one that never began has no conflict.
        let hunks = match failure {
            GitError::TimedOut { .. } => Vec::new(),
            _ if self.rebasing() => self.conflicts()?,
            _ => Vec::new(),
        };
        self.back_to(&from)?;
        if hunks.is_empty() { Err(failure) } else { Ok(Rebase::Conflict { hunks }) }
    }

    /// The tip and its best common ancestor with `onto`, in one question.
    fn head_and_base(&self, onto: &Revision) -> Result<(Revision, Option<Revision>)> {
        let range = format!("{onto}...HEAD");
        let out = self.git().args(["rev-parse", "--revs-only", "HEAD", &range, "--"]).ok()?;
        let out = parse::text(&out);
        // The tip first, then both ends of the range in git's order, then their bases with `^`.
        let head = parse::revision(out.lines().next().unwrap_or_default().as_bytes())?;
        let base = out.lines().find_map(|line| line.strip_prefix('^'));
        Ok((head, base.map(|id| parse::revision(id.as_bytes())).transpose()?))
    }

    /// Git itself looks too, but late: what it does on a failure before that must not cost files.
    fn refuse_changes(&self) -> Result<()> {
        let clean = self.git().args(["diff-index", "--quiet", "HEAD", "--"]);
        if clean.yes()? {
            return Ok(());
        }
        // Times alone may differ: a file that was only touched is no change.
        let changed: Vec<_> =
            self.status_paths()?.into_iter().filter(|entry| !entry.is_untracked()).collect();
        match changed.first() {
            Some(entry) => Err(GitError::Dirty { detail: entry.path() }),
            None => Ok(()),
        }
    }

    /// Aborts, and makes sure that branch and files are as before.
    fn back_to(&self, from: &Revision) -> Result<()> {
        self.recover()?;
        self.git().args(["reset", "--quiet", "--hard", from.as_str()]).ok().map(drop)
    }

    fn conflicts(&self) -> Result<Vec<ConflictHunk>> {
        let all = parse::unmerged(&self.git().args(["ls-files", "-u", "-z"]).ok()?)?;
        Ok(all.iter().take(MAX_HUNKS).map(|entry| self.hunk(entry)).collect())
    }

    fn hunk(&self, entry: &Unmerged) -> ConflictHunk {
        use std::os::unix::ffi::OsStrExt;
        let file = self.path().join(std::ffi::OsStr::from_bytes(&entry.path));
        let text = sentence(entry.modes).map_or_else(|| lines_of(&file), str::to_owned);
        ConflictHunk { path: parse::text(&entry.path), text }
    }
}

/// A conflict that is not one of lines, in words. In a rebase the target is stage 2 and the
/// task's commit stage 3.
fn sentence([_, target, task]: [Option<u32>; 3]) -> Option<&'static str> {
    match (target, task) {
        (Some(_), None) => Some("deleted or moved by the task, changed on the target branch"),
        (None, Some(_)) => Some("changed by the task, deleted or moved on the target branch"),
        (None, None) => Some("moved to different places by the task and on the target branch"),
        (Some(a), Some(b)) if a == SUBMODULE || b == SUBMODULE => {
            Some("a submodule that was moved on both sides")
        }
        (Some(a), Some(b)) if a == SYMLINK || b == SYMLINK => {
            Some("a symbolic link that was changed on both sides")
        }
        (Some(_), Some(_)) => None,
    }
}

fn lines_of(file: &Path) -> String {
    let plain = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file());
    let mut bytes = Vec::new();
    let read = fs::File::open(file).and_then(|f| f.take(MAX_READ).read_to_end(&mut bytes));
    if !plain || read.is_err() {
        return "changed on both sides; not a readable file".to_owned();
    }
    if bytes.contains(&0) {
        return "a binary file that was changed on both sides".to_owned();
    }
    let text = String::from_utf8_lossy(&bytes);
    let marked = marked_lines(&text);
    let shown = if marked.is_empty() { text.into_owned() } else { marked };
    cut(shown)
}

/// The lines between git's markers, with some around them; `…` where lines are left out.
fn marked_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut wanted = vec![false; lines.len()];
    let mut open = None;
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("<<<<<<< ") {
            open.get_or_insert(at);
        } else if line.starts_with(">>>>>>> ")
            && let Some(start) = open.take()
        {
            let end = (at + CONTEXT + 1).min(lines.len());
            wanted[start.saturating_sub(CONTEXT)..end].fill(true);
        }
    }
    let mut out = String::new();
    let mut gap = false;
    for (line, wanted) in lines.iter().zip(wanted) {
        if !wanted {
            gap = true;
            continue;
        }
        if gap && !out.is_empty() {
            out.push_str("…\n");
        }
        gap = false;
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn cut(mut text: String) -> String {
    const MARK: &str = "…(cut)\n";
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT - MARK.len()));
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_shown_with_a_few_lines_around() {
        let conflict = "<<<<<<< a\nx\n=======\ny\n>>>>>>> b\n";
        let filler = "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let shown = marked_lines(&format!("{filler}{conflict}{filler}{conflict}"));
        assert_eq!(shown, format!("7\n8\n9\n{conflict}0\n1\n2\n…\n7\n8\n9\n{conflict}"));
        assert_eq!(marked_lines("no\nmarkers\n"), "");
        assert_eq!(marked_lines(">>>>>>> b\n<<<<<<< never closed\n"), "");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        let text = cut("ü".repeat(MAX_TEXT));
        assert!(text.len() <= MAX_TEXT && text.ends_with("(cut)\n"));
    }
}
