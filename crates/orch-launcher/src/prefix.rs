//! The folder that everything is under, and the links in it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use orch_core::ids::{Revision, VersionName};
use orch_core::switch::Trial;
use orch_process::files;
use serde::{Deserialize, Serialize};

use crate::error::{LauncherError, Result};

/// The folder that everything is under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(PathBuf);

/// An installed version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its name, and that of its folder.
    pub name: VersionName,
    /// The revision it was built from; `None` where the build did not know it.
    pub revision: Option<Revision>,
    /// What it calls itself.
    pub says: String,
    /// When it was installed.
    pub installed_at: Timestamp,
}

/// Held while one process does what only one may do; it goes with the process.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// The program's file in a version's folder.
const PROGRAM: &str = "orch";

impl Prefix {
    /// The prefix at that path, made where it is not there.
    pub fn open(path: &Path) -> Result<Self> {
        for dir in [path.to_owned(), path.join("versions"), path.join("switches"), path.join("bad")]
        {
            DirBuilder::new()
                .recursive(true)
                .mode(0o755)
                .create(&dir)
                .map_err(LauncherError::io("cannot make", &dir))?;
        }
        let path = path.canonicalize().map_err(LauncherError::io("cannot use", path))?;
        Ok(Self(path))
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Something in it.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A version's folder.
    pub fn version_dir(&self, version: &VersionName) -> PathBuf {
        self.0.join("versions").join(version.as_str())
    }

    /// A version's program.
    pub fn program(&self, version: &VersionName) -> PathBuf {
        self.version_dir(version).join(PROGRAM)
    }

    /// The program that the service is started by, whichever version it is.
    pub fn current_program(&self) -> PathBuf {
        self.0.join("current").join(PROGRAM)
    }

    /// The version that runs, or is to run; `None` before the first.
    pub fn current(&self) -> Option<VersionName> {
        self.link("current")
    }

    /// The version that ran before the current one proved healthy; `None` before the first switch.
    pub fn previous(&self) -> Option<VersionName> {
        self.link("previous")
    }

    fn link(&self, name: &str) -> Option<VersionName> {
        let target = fs::read_link(self.join(name)).ok()?;
        let version = VersionName::new(target.file_name()?.to_str()?).ok()?;
        self.program(&version).is_file().then_some(version)
    }

    /// Lets `current` name a version, in one step.
    pub fn point_current(&self, version: &VersionName) -> Result<()> {
        self.point("current", version)
    }

    /// Lets `previous` name a version, in one step.
    pub(crate) fn point_previous(&self, version: &VersionName) -> Result<()> {
        self.point("previous", version)
    }

    fn point(&self, name: &str, version: &VersionName) -> Result<()> {
        if !self.program(version).is_file() {
            return Err(LauncherError::NoSuchVersion(version.clone()));
        }
        let link = self.join(name);
        let fresh = self.join(&format!(".{name}.{}", std::process::id()));
        let failed = |error| LauncherError::io("cannot point", &link)(error);
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        symlink(Path::new("versions").join(version.as_str()), &fresh).map_err(failed)?;
        fs::rename(&fresh, &link).map_err(|e| LauncherError::io("cannot point", &link)(e))?;
        files::sync_dir(&self.0).map_err(|e| LauncherError::io("cannot point", &link)(e))
    }

    /// What is installed of that name; `None` where nothing whole is.
    pub fn version(&self, name: &VersionName) -> Option<Version> {
        let about = files::read_json(&self.version_dir(name).join("version.json")).ok()??;
        self.program(name).is_file().then_some(about)
    }

    /// The installed versions, the newest first.
    pub fn versions(&self) -> Vec<Version> {
        let Ok(entries) = fs::read_dir(self.join("versions")) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let names = names.filter_map(|name| VersionName::new(name).ok());
        let mut found: Vec<Version> = names.filter_map(|name| self.version(&name)).collect();
        found.sort_by(|one, two| (two.installed_at, &two.name).cmp(&(one.installed_at, &one.name)));
        found
    }

    /// Removes versions beyond the newest `keep`. The current one, the one before it and those whose
    /// program some process still runs stay.
    pub fn prune(&self, keep: usize) {
        let (current, previous) = (self.current(), self.previous());
        for version in self.versions().into_iter().skip(keep) {
            let named =
                [&current, &previous].iter().any(|name| name.as_ref() == Some(&version.name));
            let dir = self.version_dir(&version.name);
            if named || orch_process::runs_from(&dir) {
                continue;
            }
            match fs::remove_dir_all(&dir) {
                Ok(()) => tracing::info!(version = %version.name, "removed an old version"),
                Err(error) => {
                    tracing::warn!(version = %version.name, %error, "an old version could not be removed");
                }
            }
        }
    }

    /// The trial that is under way, or that a launcher left; `None` outside of one.
    pub fn trial(&self) -> Result<Option<Trial>> {
        self.read("trial.json")
    }

    pub(crate) fn record(&self, trial: Option<&Trial>) -> Result<()> {
        let path = self.join("trial.json");
        match trial {
            Some(trial) => self.write("trial.json", trial),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(LauncherError::io("cannot remove", &path)(error))
                }
                _ => files::sync_dir(&self.0).map_err(LauncherError::io("cannot write", &path)),
            },
        }
    }

    pub(crate) fn write(&self, name: &str, content: &impl Serialize) -> Result<()> {
        let path = self.join(name);
        let failed = LauncherError::io("cannot write", &path);
        let bytes = serde_json::to_vec(content).map_err(io::Error::from);
        bytes.and_then(|bytes| files::write_atomic(&path, &bytes)).map_err(failed)
    }

    pub(crate) fn read<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.join(name);
        files::read_json(&path)
            .map_err(|error| LauncherError::Unreadable { path, what: error.to_string() })
    }

    /// Takes a lock of that name, or says who has it.
    pub(crate) fn lock(&self, name: &str, what: &'static str) -> Result<Lock> {
        let path = self.join(name);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .open(&path)
            .map_err(LauncherError::io("cannot open", &path))?;
        if !taken(&file).map_err(LauncherError::io("cannot lock", &path))? {
            let pid = read_pid(&mut file);
            return Err(LauncherError::InUse { path, pid, what });
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(LauncherError::io("cannot write", &path))?;
        Ok(Lock { _file: file })
    }

    /// The launcher that runs for this prefix; `None` where none does.
    pub fn launcher(&self) -> Option<u32> {
        let mut file = File::open(self.join("launcher.lock")).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(read_pid(&mut file).unwrap_or_default()),
            _ => None,
        }
    }
}

/// Tries for a moment: a child that was just forked, by us or by one that was killed, holds a lock
/// until it has become its own program.
fn taken(file: &File) -> io::Result<bool> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Ok(false)
}

/// Tries before somebody else has it.
const LOCK_TRIES: u32 = 50;
/// From one try to the next.
const LOCK_PAUSE: Duration = Duration::from_millis(20);

pub(crate) fn read_pid(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
