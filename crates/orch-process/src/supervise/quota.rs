//! What a run takes up on the disk, counted a little at a time, so that its output never waits for
//! a large tree.

use std::fs::{self, DirEntry, ReadDir};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use orch_core::process::{DiskLimit, ExitCause};

/// Entries that are looked at before the supervisor turns to the output again: about two
/// milliseconds.
const AT_ONCE: u32 = 500;
/// From the end of one count to the beginning of the next, at least.
const PAUSE: Duration = Duration::from_secs(1);
/// A count may take this part of the time: one that took a second is repeated after twenty.
const SHARE: u32 = 20;
/// Folders that wait for their turn. A tree with more at once, or one too deep for its paths, was
/// made so that nobody can count it.
const MAX_WAITING: usize = 100_000;
/// A block of `st_blocks`, whatever the file system's own are.
const BLOCK: u64 = 512;

/// The count of one run.
#[derive(Debug)]
pub(super) struct Quota {
    /// `None` where there is no limit.
    limit: Option<DiskLimit>,
    count: Option<Count>,
    /// When the next count begins.
    next_at: Instant,
}

/// A count on its way.
#[derive(Debug)]
struct Count {
    begun: Instant,
    waiting: Vec<PathBuf>,
    open: Option<ReadDir>,
    /// `u64::MAX` where it can't be counted.
    bytes: u64,
}

impl Quota {
    /// Counts from `now` on.
    pub(super) fn new(limit: Option<DiskLimit>, now: Instant) -> Self {
        Self { limit, count: None, next_at: now }
    }

    /// How long until there is something to count, at most `longest`.
    pub(super) fn pause(&self, now: Instant, longest: Duration) -> Duration {
        match (&self.limit, &self.count) {
            (None, _) => longest,
            (Some(_), Some(_)) => Duration::ZERO,
            (Some(_), None) => self.next_at.saturating_duration_since(now).min(longest),
        }
    }

    /// Counts on; gives the cause where the limit is passed.
    pub(super) fn look(&mut self, now: Instant) -> Option<ExitCause> {
        let limit = self.limit.as_ref()?;
        if self.count.is_none() && now < self.next_at {
            return None;
        }
        let count = self.count.get_or_insert_with(|| Count::of(&limit.roots, now));
        let over = count.on(limit.bytes);
        let bytes = count.bytes;
        match over {
            None => None,
            Some(true) => Some(ExitCause::OverDisk { limit_bytes: limit.bytes, used_bytes: bytes }),
            Some(false) => {
                let took = Instant::now().saturating_duration_since(count.begun);
                self.next_at = now + PAUSE.max(took.saturating_mul(SHARE));
                self.count = None;
                None
            }
        }
    }
}

impl Count {
    fn of(roots: &[PathBuf], now: Instant) -> Self {
        Self { begun: now, waiting: roots.to_vec(), open: None, bytes: 0 }
    }

    /// Looks at the next entries; says whether the limit is passed, `None` where there are more.
    fn on(&mut self, limit: u64) -> Option<bool> {
        for _ in 0..AT_ONCE {
            if self.bytes > limit {
                return Some(true);
            }
            match self.open.as_mut().map(Iterator::next) {
                Some(Some(Ok(entry))) => self.add(&entry),
                // What is gone already takes up nothing.
                Some(Some(Err(_))) => {}
                Some(None) => self.open = None,
                None => {
                    let Some(folder) = self.waiting.pop() else { return Some(false) };
                    match fs::read_dir(folder) {
                        Ok(open) => self.open = Some(open),
                        Err(error) if error.kind() == io::ErrorKind::InvalidFilename => {
                            self.bytes = u64::MAX;
                        }
                        Err(_) => {}
                    }
                }
            }
        }
        None
    }

    fn add(&mut self, entry: &DirEntry) {
        let Ok(found) = entry.metadata() else { return };
        // A file of several names is counted once in all.
        let names = if found.is_dir() { 1 } else { found.nlink().max(1) };
        self.bytes = self.bytes.saturating_add(found.blocks().saturating_mul(BLOCK) / names);
        if found.is_dir() {
            if self.waiting.len() >= MAX_WAITING {
                self.bytes = u64::MAX;
                return;
            }
            self.waiting.push(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(roots: &[PathBuf], limit: u64) -> Option<ExitCause> {
        let now = Instant::now();
        let limit = DiskLimit { roots: roots.to_vec(), bytes: limit };
        let mut quota = Quota::new(Some(limit), now);
        loop {
            let cause = quota.look(now);
            if cause.is_some() || quota.count.is_none() {
                return cause;
            }
        }
    }

    #[test]
    fn everything_below_the_roots_is_counted_once() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (dir.path().join("one"), dir.path().join("two"));
        fs::create_dir_all(one.join("deep/er")).unwrap();
        fs::create_dir(&two).unwrap();
        fs::write(one.join("deep/er/file"), vec![1; 600_000]).unwrap();
        fs::write(two.join("file"), vec![1; 600_000]).unwrap();
        fs::hard_link(two.join("file"), two.join("again")).unwrap();
        std::os::unix::fs::symlink("/", two.join("elsewhere")).unwrap();
        for number in 0..2 * AT_ONCE {
            fs::File::create(one.join(number.to_string())).unwrap();
        }
        let both = [one, two, dir.path().join("not-there")];
        assert_eq!(counted(&both, 2_000_000), None);
        let over = counted(&both, 1_000_000);
        assert!(matches!(over, Some(ExitCause::OverDisk { used_bytes, .. })
            if (1_000_000..2_000_000).contains(&used_bytes)));
        assert_eq!(counted(&both[..1], 1_000_000), None);
    }

    #[test]
    fn a_tree_too_deep_to_be_counted_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let script =
            "for i in $(seq 1 40); do d=$(printf 'x%.0s' $(seq 1 200)); mkdir $d && cd $d; done";
        let made = std::process::Command::new("bash")
            .args(["-c", script])
            .current_dir(dir.path())
            .status()
            .unwrap();
        assert!(made.success());
        let over = counted(&[dir.path().to_owned()], 1 << 40);
        assert!(matches!(over, Some(ExitCause::OverDisk { used_bytes: u64::MAX, .. })), "{over:?}");
    }

    #[test]
    fn without_a_limit_nothing_is_looked_at() {
        let now = Instant::now();
        let mut quota = Quota::new(None, now);
        assert_eq!(quota.look(now), None);
        assert_eq!(quota.pause(now, PAUSE), PAUSE);
    }
}
