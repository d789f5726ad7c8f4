//! A cgroup leaf of its own for each run, where the machine lets us make one: the kernel then kills
//! all its processes at once, even those being forked at that moment. Best effort throughout; where
//! it is not to be had, the walk of the tree and the mark do the work alone.

use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_core::ids::RunId;

/// Where cgroup v2 is mounted: alone, or beside v1 on a hybrid machine.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// The leaf of one run.
#[derive(Debug)]
pub(crate) struct Leaf(PathBuf);

impl Leaf {
    /// Makes the leaf; `None` where that is not possible.
    pub(crate) fn create(run_id: &RunId) -> Option<Self> {
        let path = leaf_path(run_id)?;
        match std::fs::create_dir(&path) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(_) => return None,
        }
        Some(Self(path))
    }

    /// The leaf that an earlier supervisor of this run has left behind, if any.
    pub(crate) fn find(run_id: &RunId) -> Option<Self> {
        leaf_path(run_id).filter(|path| path.is_dir()).map(Self)
    }

    /// Moves a process into the leaf. The kernel takes some milliseconds for it, so the supervisor
    /// does it while the child is already starting: what the child forks in the first moment may
    /// stay outside, and is left to the other means of killing.
    pub(crate) fn enter(&self, pid: u32) {
        let _ = std::fs::write(self.0.join("cgroup.procs"), pid.to_string());
    }

    /// Kills every process in the leaf and below.
    pub(crate) fn kill(&self) {
        // Absent before Linux 5.14; the other means of killing do not depend on it.
        let _ = std::fs::write(self.0.join("cgroup.kill"), "1");
    }

    /// Removes the leaf and what the run made below it; gives up silently if a process stays inside.
    pub(crate) fn remove(&self) {
        for _ in 0..REMOVE_TRIES {
            remove_tree(&self.0, 0);
            if !self.0.exists() {
                return;
            }
            std::thread::sleep(REMOVE_PAUSE);
        }
    }
}

/// A killed process is inside until the kernel has taken it apart, which is soon.
const REMOVE_TRIES: u32 = 20;
/// The pause between two tries.
const REMOVE_PAUSE: Duration = Duration::from_millis(2);
/// Deeper nesting than this is left behind.
const MAX_DEPTH: u32 = 16;

fn remove_tree(path: &Path, depth: u32) {
    if depth < MAX_DEPTH
        && let Ok(entries) = std::fs::read_dir(path)
    {
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                remove_tree(&entry.path(), depth + 1);
            }
        }
    }
    let _ = std::fs::remove_dir(path);
}

fn leaf_path(run_id: &RunId) -> Option<PathBuf> {
    let own = own_path(&std::fs::read_to_string("/proc/self/cgroup").ok()?)?;
    let mount = MOUNTS.iter().find(|mount| Path::new(mount).join("cgroup.procs").is_file())?;
    let parent = Path::new(mount).join(own.trim_start_matches('/'));
    parent.join("cgroup.procs").is_file().then(|| parent.join(format!("orch-{run_id}")))
}

/// The path of the process in the v2 hierarchy, from `/proc/self/cgroup`. `None` where there is no
/// v2 hierarchy or the process stands outside of what its namespace shows.
fn own_path(listing: &str) -> Option<String> {
    let path = listing.lines().find_map(|line| line.strip_prefix("0::"))?;
    let inside = path.starts_with('/') && !path.split('/').any(|part| part == "..");
    inside.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_path_takes_only_the_unified_hierarchy() {
        for (listing, expected) in [
            ("0::/user.slice/a.scope\n", Some("/user.slice/a.scope")),
            ("4:memory:/x\n0::/\n", Some("/")),
            ("4:memory:/x\n1:cpu:/y\n", None),
            ("0::/../../escape\n", None),
            ("0::relative\n", None),
            ("", None),
        ] {
            assert_eq!(own_path(listing).as_deref(), expected, "{listing:?}");
        }
    }
}
