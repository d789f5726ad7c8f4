//! The copies that migrations leave beside a database: `orch.db.before-0005-20260131T120000Z`.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::applied;
use crate::engine::migrate::usable;

/// Copies kept beside a database: as many steps back as anybody goes, and a bound on the disk.
const KEPT: usize = 5;

/// The name of the copy made before the step `first`.
pub(super) fn name_before(file: &Path, first: i64, at: Timestamp) -> PathBuf {
    beside(file, &format!("before-{first:04}-{}", stamp(at)))
}

/// The name under which a database is kept that is put aside.
pub(super) fn name_aside(file: &Path, version: i64, at: Timestamp) -> PathBuf {
    beside(file, &format!("after-{version:04}-{}", stamp(at)))
}

/// A name beside the database: its own, a dot, and the ending.
pub(super) fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    PathBuf::from(path)
}

/// To the microsecond: two copies never want the same name.
fn stamp(at: Timestamp) -> String {
    format!("{}{:06}Z", at.strftime("%Y%m%dT%H%M%S"), at.subsec_microsecond())
}

/// The copies of that kind, `before` or `after`, the newest first.
fn copies(file: &Path, kind: &str) -> Vec<PathBuf> {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return Vec::new();
    };
    let start = format!("{name}.{kind}-");
    let mut found: Vec<(String, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (version, at) = name.strip_prefix(&start)?.split_once('-')?;
            let whole = version.parse::<u32>().is_ok() && at.ends_with('Z') && !at.contains('.');
            whole.then(|| (at.to_owned(), entry.path()))
        })
        .collect();
    found.sort_by(|one, two| two.cmp(one));
    found.into_iter().map(|(_, path)| path).collect()
}

/// Removes the oldest copies beyond those that are kept.
pub(super) fn prune(file: &Path) {
    for old in ["before", "after"].iter().flat_map(|kind| copies(file, kind).into_iter().skip(KEPT))
    {
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(backup = %old.display(), %error, "an old copy could not be removed");
        }
    }
}

/// The newest copy that a program which knows steps up to `supported` can use.
pub(super) fn newest_usable(file: &Path, supported: i64) -> Option<PathBuf> {
    copies(file, "before").into_iter().find(|copy| {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let steps = Connection::open_with_flags(copy, flags).ok().and_then(|c| applied(&c).ok());
        steps.is_some_and(|steps| !steps.is_empty() && usable(&steps, supported))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_copies_stay_and_nothing_else_is_touched() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("orch.db");
        let at = |second| Timestamp::from_second(1_800_000_000 + second).unwrap();
        for second in 0..8 {
            std::fs::write(name_before(&file, 5 + second % 2, at(second)), "").unwrap();
        }
        let others = ["orch.db.before-mine", "orch.db.before-0005-x.partial", "other.db"];
        for name in others {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        prune(&file);
        let kept: Vec<PathBuf> =
            (3..8).rev().map(|second| name_before(&file, 5 + second % 2, at(second))).collect();
        assert_eq!(copies(&file, "before"), kept);
        assert!(others.iter().all(|name| dir.path().join(name).exists()));
        assert_eq!(newest_usable(&file, 9), None, "an empty file is no database");
    }
}
