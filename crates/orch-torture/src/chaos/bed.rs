//! The bed of a torture: a directory with repositories and a state directory, the program under
//! torture, and the promise to leave nothing behind.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use orch_testkit::{Orch, Repository};
use rusqlite::{Connection, OpenFlags};
use rustix::process::Signal;

use super::load;
use super::processes::{self, Process};
use crate::isolate;

/// The size of the small disk: the state of some thousand runs, and not much of the memory.
pub const DISK_MB: u32 = 384;
/// How long processes may take to go once they were killed.
const GOING: Duration = Duration::from_secs(30);
/// How long after a fault the death of a service is still its doing: its busy timeout and more.
const AFTERWARDS: Duration = Duration::from_secs(10);

/// Where everything happens; what it made goes with the value.
pub struct Bed {
    /// Everything of it is below this directory.
    pub root: PathBuf,
    /// The program with its environment.
    pub orch: Orch,
    /// The repositories.
    pub repositories: Vec<Repository>,
    /// Whether the state directory is a small disk of its own.
    pub small_disk: bool,
    /// Faults that last and excuse a service which does not start.
    disturbed: AtomicUsize,
    /// When the last of them ended.
    calm_since: Mutex<Option<Instant>>,
    keep: bool,
    _temporary: Option<tempfile::TempDir>,
}

impl Bed {
    /// Makes the bed below `keep`, where it then stays, or in a temporary directory.
    pub fn make(
        program: &Path,
        keep: Option<&Path>,
        seed: u64,
        repositories: usize,
        small_disk: bool,
    ) -> anyhow::Result<Self> {
        let name = format!("orch-torture-{seed}-{}", std::process::id());
        let (root, temporary) = if let Some(dir) = keep {
            (dir.join(&name), None)
        } else {
            let made = tempfile::Builder::new().prefix(&name).tempdir()?;
            (made.path().to_owned(), Some(made))
        };
        std::fs::create_dir_all(&root).with_context(|| format!("{}", root.display()))?;
        let root = root.canonicalize()?;
        std::fs::create_dir_all(root.join("home"))?;
        // Its small disk has less room than runs usually ask for.
        let orch = Orch::new(program, &root).with("ORCH_SERVICE_MIN_FREE_DISK", "0");
        let mut bed = Self {
            orch,
            repositories: Vec::new(),
            small_disk: false,
            disturbed: AtomicUsize::new(0),
            calm_since: Mutex::default(),
            keep: keep.is_some(),
            _temporary: temporary,
            root,
        };
        if small_disk {
            isolate::mount_small_disk(&bed.orch.home(), DISK_MB)?;
            bed.small_disk = true;
        }
        bed.repositories = load::repositories(&bed.root, repositories)?;
        for repository in &bed.repositories {
            bed.orch.ok(&repository.checkout, &["init"]);
        }
        Ok(bed)
    }

    /// A connection of somebody else to the service's database.
    pub fn database(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(self.orch.home().join("orch.db"), flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        Ok(connection)
    }

    /// Fails where somebody took the bed away, as a cleaner of temporary directories does: then
    /// nothing more can be said about the service, and no disk may be filled.
    pub fn check(&self) -> anyhow::Result<()> {
        if !self.root.join("step.sh").exists() || (self.small_disk && !self.is_on_small_disk()) {
            bail!(
                "somebody else removed {}; name a safer place with TMPDIR or --keep",
                self.root.display()
            );
        }
        Ok(())
    }

    /// Whether the state directory is a disk of its own at this moment.
    pub fn is_on_small_disk(&self) -> bool {
        let device = |path: &Path| path.metadata().ok().map(|found| found.dev());
        let state = device(&self.orch.home());
        state.is_some() && state != device(&self.root)
    }

    /// The last lines of the service's log.
    pub fn last_words(&self, lines: usize) -> String {
        let text = std::fs::read(self.root.join("serve.log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let all: Vec<&str> = text.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Its living processes.
    pub fn processes(&self) -> Vec<Process> {
        processes::ours(&self.root)
    }

    /// Kills every process of the bed, again and again until two looks find none: the end of a
    /// container, or of this program.
    pub fn kill_everything(&self) {
        let deadline = Instant::now() + GOING;
        let mut quiet = 0;
        while quiet < 2 && Instant::now() < deadline {
            let found = self.processes();
            quiet = if found.is_empty() { quiet + 1 } else { 0 };
            for process in found {
                process.signal(Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Notes that a fault has begun which excuses a service that does not start.
    pub fn disturb(&self) -> Disturbance<'_> {
        self.disturbed.fetch_add(1, Ordering::AcqRel);
        Disturbance(self)
    }

    /// Whether such a fault is going on.
    pub fn is_disturbed(&self) -> bool {
        self.disturbed.load(Ordering::Acquire) > 0
    }

    /// Whether such a fault is going on or ended a moment ago: a service that dies of it may be
    /// found only then.
    pub fn was_disturbed(&self) -> bool {
        let calm_since = *self.calm_since.lock().unwrap_or_else(PoisonError::into_inner);
        self.is_disturbed() || calm_since.is_some_and(|at| at.elapsed() < AFTERWARDS)
    }
}

/// The fault lasts for as long as this lives.
pub struct Disturbance<'a>(&'a Bed);

impl Drop for Disturbance<'_> {
    fn drop(&mut self) {
        *self.0.calm_since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.0.disturbed.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.kill_everything();
        let state = self.orch.home();
        if self.small_disk {
            if self.keep {
                // The small disk goes with this program; what it holds is wanted.
                let kept = self.root.join("state-kept");
                let _ = std::process::Command::new("cp").arg("-a").arg(&state).arg(&kept).status();
            }
            isolate::unmount(&state);
        }
        if self.keep {
            eprintln!("kept: {}", self.root.display());
        }
    }
}
