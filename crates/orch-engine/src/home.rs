//! The state directory `$ORCH_HOME`: where everything of the service lives, and the lock that
//! keeps it to one service.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use orch_core::ids::{DeployId, RepoName, RunId, TaskKey, WorkerId};
use orch_process::files;

/// The state directory and its rooms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

/// Why a state directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// It can't be made or written.
    #[error("the state directory {path} can't be used")]
    Io {
        /// The path at fault.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// Another service has it.
    #[error("the state directory {path} is in use by another service{}", holder(.pid.as_ref()))]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other service's pid, where it could be read.
        pid: Option<u32>,
    },
}

fn holder(pid: Option<&u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Held while a service uses its state directory; the lock goes with the process.
#[derive(Debug)]
pub struct HomeLock {
    _file: File,
}

impl Home {
    /// Opens the directory, making it (mode 0700) where it is not there.
    pub fn open(path: &Path) -> Result<Self, HomeError> {
        let fail = |source| HomeError::Io { path: path.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(fail)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(fail)?;
        let home = Self(path.canonicalize().map_err(fail)?);
        for room in
            ["runs", "worktrees", "lent", "mirrors", "origins", "deploys", "ssh", "sessions"]
        {
            let room = home.0.join(room);
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&room)
                .map_err(|source| HomeError::Io { path: room, source })?;
        }
        Ok(home)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The embedded database.
    pub fn database(&self) -> PathBuf {
        self.0.join("orch.db")
    }

    /// A run's directory.
    pub fn run(&self, run: &RunId) -> PathBuf {
        self.0.join("runs").join(run.as_str())
    }

    /// Where the commands of a deploy work, its deploy command apart.
    pub fn deploy(&self, id: DeployId) -> PathBuf {
        self.0.join("deploys").join(id.to_string())
    }

    /// All worktrees.
    pub fn worktrees(&self) -> PathBuf {
        self.0.join("worktrees")
    }

    /// A task's worktree.
    pub fn worktree(&self, key: &TaskKey) -> PathBuf {
        self.worktrees().join(key.to_string())
    }

    /// The git directory of a task's confined run.
    pub fn lent(&self, key: &TaskKey) -> PathBuf {
        self.0.join("lent").join(key.to_string())
    }

    /// The sockets of shared connections to other machines.
    pub fn ssh(&self) -> PathBuf {
        self.0.join("ssh")
    }

    /// The sessions of agents, a folder per task.
    pub fn sessions(&self) -> PathBuf {
        self.0.join("sessions")
    }

    /// A task's sessions.
    pub fn task_sessions(&self, key: &TaskKey) -> PathBuf {
        self.sessions().join(key.to_string())
    }

    /// A repository's mirror.
    pub fn mirror(&self, repo: &RepoName) -> PathBuf {
        self.0.join("mirrors").join(format!("{repo}.git"))
    }

    /// Takes the directory for one service.
    pub fn lock(&self) -> Result<HomeLock, HomeError> {
        let path = self.0.join("orch.lock");
        let fail = |source| HomeError::Io { path: path.clone(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(fail)?;
        if !taken(&file).map_err(fail)? {
            let mut text = String::new();
            let pid = file.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
            return Err(HomeError::InUse { path: self.0.clone(), pid });
        }
        file.set_len(0).map_err(fail)?;
        file.rewind().map_err(fail)?;
        writeln!(file, "{}", std::process::id()).map_err(fail)?;
        Ok(HomeLock { _file: file })
    }

    /// The worker's id, made at first use and kept, so that a restarted service knows its runs.
    pub fn worker_id(&self, random: u64) -> Result<WorkerId, HomeError> {
        let path = self.0.join("worker-id");
        let fail = |source| HomeError::Io { path: path.clone(), source };
        if let Some(id) = fs::read_to_string(&path).ok().and_then(|t| WorkerId::new(t.trim()).ok())
        {
            return Ok(id);
        }
        let id = format!("worker-{random:016x}");
        files::publish(&path, id.as_bytes()).map_err(fail)?;
        WorkerId::new(id).map_err(|error| fail(io::Error::other(error)))
    }
}

/// Tries for a moment: a child that a killed service had forked and that has not yet become its
/// own program holds the lock a little longer than the service did.
fn taken(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(fs::TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Tries before the directory counts as in use.
const LOCK_TRIES: u32 = 50;
/// From one try to the next.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_directory_belongs_to_one_service_and_to_its_user() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(&dir.path().join("state")).unwrap();
        let mode = fs::metadata(home.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let held = home.lock().unwrap();
        let Err(HomeError::InUse { pid, .. }) = home.lock() else { panic!("locked twice") };
        assert_eq!(pid, Some(std::process::id()));
        drop(held);
        home.lock().unwrap();
    }

    #[test]
    fn the_worker_id_survives_a_restart_and_a_damaged_file() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(dir.path()).unwrap();
        let first = home.worker_id(7).unwrap();
        assert_eq!(home.worker_id(8).unwrap(), first);
        fs::write(home.path().join("worker-id"), "../..\n").unwrap();
        assert_eq!(home.worker_id(9).unwrap().as_str(), "worker-0000000000000009");
    }
}
