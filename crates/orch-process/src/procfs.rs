//! Reads `/proc`: one process's `stat`, all processes, the descendants of one. The parsers are
//! pure, because a process chooses its own name and may choose it to mislead.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read};

/// What `/proc/<pid>/stat` says about a process, as far as this crate needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub pid: u32,
    pub parent: u32,
    /// Clock ticks since boot.
    pub start_time: u64,
    /// True for a process that has ended and only waits to be reaped (states Z and X).
    pub dead: bool,
    /// True for a process that a signal or a debugger has stopped (states T and t).
    pub stopped: bool,
}

/// More than the longest `stat` line: 52 numbers of at most 20 digits and a name of 64 bytes.
const STAT_BYTES: u64 = 2048;

/// Parses a `stat` line. The name stands in parentheses and may itself hold parentheses, spaces and
/// newlines, so the fields are counted from the last `)`: what follows it is only letters and digits.
pub(crate) fn parse_stat(line: &[u8]) -> Option<Stat> {
    let open = line.iter().position(|b| *b == b'(')?;
    let close = line.iter().rposition(|b| *b == b')')?;
    let pid = std::str::from_utf8(line.get(..open)?).ok()?.trim().parse().ok()?;
    let mut fields = std::str::from_utf8(line.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    // Field 22 of the line; state was 3, the parent 4.
    let start_time = fields.nth(17)?.parse().ok()?;
    let dead = matches!(state, "Z" | "X" | "x");
    Some(Stat { pid, parent, start_time, dead, stopped: matches!(state, "T" | "t") })
}

/// One process's `stat`; `None` when there is no such process.
pub(crate) fn stat(pid: u32) -> io::Result<Option<Stat>> {
    let mut line = Vec::with_capacity(512);
    let read = File::open(format!("/proc/{pid}/stat"))
        .and_then(|file| file.take(STAT_BYTES).read_to_end(&mut line));
    match read {
        Ok(_) => parse_stat(&line).map(Some).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, format!("/proc/{pid}/stat is malformed"))
        }),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether an error from `/proc/<pid>` means that the process has ended meanwhile.
pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ESRCH)
}

/// The ids of all processes that can be seen.
pub(crate) fn pids() -> io::Result<impl Iterator<Item = u32>> {
    let entries = std::fs::read_dir("/proc")?;
    Ok(entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// All processes that can be seen; those that end while we look are left out.
pub(crate) fn snapshot() -> io::Result<Vec<Stat>> {
    Ok(pids()?.filter_map(|pid| stat(pid).ok().flatten()).collect())
}

/// Every process below `root`, dead ones included (a zombie can't have children, but a table read
/// while it changes may say so).
pub(crate) fn descendants(root: u32, table: &[Stat]) -> Vec<Stat> {
    let mut by_parent: BTreeMap<u32, Vec<Stat>> = BTreeMap::new();
    for stat in table {
        by_parent.entry(stat.parent).or_default().push(*stat);
    }
    let mut seen = BTreeSet::from([root]);
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(parent) = open.pop() {
        for stat in by_parent.get(&parent).into_iter().flatten() {
            if seen.insert(stat.pid) {
                found.push(*stat);
                open.push(stat.pid);
            }
        }
    }
    found
}

/// The direct children of the calling thread's process, from the kernel's own list: far cheaper
/// than a walk over all processes. An error where the kernel has no such list.
pub(crate) fn own_children() -> io::Result<Vec<u32>> {
    let list = std::fs::read_to_string("/proc/thread-self/children")?;
    Ok(list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 200";

    #[test]
    fn a_name_can_not_mislead_the_stat_parser() {
        let names =
            ["sh", ") R 1", "a) S 1 (b", "((((", "))))", "two\nlines", "", " ", "x) Z 0 0 0 0"];
        for name in names {
            let line = format!("4242 ({name}) S 17 {REST}\n");
            let expected =
                Stat { pid: 4242, parent: 17, start_time: 98765, dead: false, stopped: false };
            assert_eq!(parse_stat(line.as_bytes()), Some(expected), "{name:?}");
        }
        let mut line = b"5 (\xff\xfe) Z 1 ".to_vec();
        line.extend_from_slice(REST.as_bytes());
        assert!(parse_stat(&line).is_some_and(|stat| stat.dead && stat.pid == 5));
        for state in ["T", "t"] {
            let stat = parse_stat(format!("5 (sh) {state} 1 {REST}").as_bytes()).unwrap();
            assert!(stat.stopped && !stat.dead);
        }
    }

    #[test]
    fn malformed_stat_lines_are_no_process() {
        for line in
            ["", "1", "1 (", "1 )", ") 1 (", "1 (a) S", "1 (a) S x", "x (a) S 1 1", "1 (a) S 1 2 3"]
        {
            assert_eq!(parse_stat(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn descendants_survive_a_table_with_loops() {
        let row = |pid, parent| Stat { pid, parent, start_time: 1, dead: false, stopped: false };
        let table = [row(2, 1), row(3, 2), row(4, 3), row(1, 4), row(9, 8), row(5, 5)];
        let pids: BTreeSet<u32> = descendants(1, &table).iter().map(|s| s.pid).collect();
        assert_eq!(pids, BTreeSet::from([2, 3, 4]));
        assert!(descendants(7, &table).is_empty());
    }

    #[test]
    fn own_stat_names_this_process() {
        let own = stat(std::process::id()).unwrap().unwrap();
        assert_eq!(own.pid, std::process::id());
        assert!(!own.dead && own.start_time > 0);
        assert_eq!(stat(u32::MAX).unwrap(), None);
    }
}
