//! Putting a built program beside the others: whole and checked, or not at all.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use orch_core::ids::VersionName;
use orch_process::files;

use crate::error::{LauncherError, Result};
use crate::prefix::{Lock, Prefix, Version};

/// A program on its way in: a copy that can be tried, not yet a version. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged {
    prefix: Prefix,
    dir: PathBuf,
    _lock: Lock,
}

/// What an installation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Installed {
    /// It is there now.
    New(Version),
    /// It was there before and is left as it is: a version never changes.
    Before(Version),
}

/// Copies a program in beside the versions; one installation at a time.
pub fn stage(prefix: &Prefix, program: &Path) -> Result<Staged> {
    let lock =
        prefix.lock("install.lock", "another installation is under way; wait for its end")?;
    let versions = prefix.join("versions");
    clear(&versions);
    let dir = versions.join(format!(".staging-{}", std::process::id()));
    DirBuilder::new().mode(0o755).create(&dir).map_err(LauncherError::io("cannot make", &dir))?;
    // From here on it is removed with the value.
    let staged = Staged { prefix: prefix.clone(), dir, _lock: lock };
    copy(program, &staged.program())?;
    Ok(staged)
}

/// What an installation that was cut off left.
fn clear(versions: &Path) {
    let Ok(entries) = fs::read_dir(versions) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(".staging-") {
            // What stays is tried again by the next one.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

fn copy(program: &Path, to: &Path) -> Result<()> {
    let mut from = File::open(program).map_err(LauncherError::io("cannot read", program))?;
    if !from.metadata().is_ok_and(|found| found.is_file() && found.len() > 0) {
        let source = io::Error::other("it is no program");
        return Err(LauncherError::io("cannot install", program)(source));
    }
    let written = File::create_new(to).and_then(|mut file| {
        io::copy(&mut from, &mut file)?;
        file.set_permissions(Permissions::from_mode(0o755))?;
        file.sync_all()
    });
    written.map_err(LauncherError::io("cannot write", to))
}

impl Staged {
    /// The copy, to be tried.
    pub fn program(&self) -> PathBuf {
        self.dir.join("orch")
    }

    /// Makes it a version, in one step.
    pub fn install(self, version: Version) -> Result<Installed> {
        let place = self.prefix.version_dir(&version.name);
        if let Some(there) = self.prefix.version(&version.name) {
            return Ok(Installed::Before(there));
        }
        let about = self.dir.join("version.json");
        let bytes = serde_json::to_vec(&version).map_err(io::Error::from);
        bytes
            .and_then(|bytes| files::write_atomic(&about, &bytes))
            .map_err(LauncherError::io("cannot write", &about))?;
        files::sync_dir(&self.dir).map_err(LauncherError::io("cannot write", &self.dir))?;
        // A folder of that name without a whole version in it was made by hand.
        fs::rename(&self.dir, &place).map_err(LauncherError::io("cannot install", &place))?;
        let versions = self.prefix.join("versions");
        files::sync_dir(&versions).map_err(LauncherError::io("cannot write", &versions))?;
        Ok(Installed::New(version))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // It has become a version, or the next installation removes it.
        drop(fs::remove_dir_all(&self.dir));
    }
}

impl Installed {
    /// The version.
    pub fn version(&self) -> &Version {
        match self {
            Self::New(version) | Self::Before(version) => version,
        }
    }

    /// Its name.
    pub fn name(&self) -> &VersionName {
        &self.version().name
    }
}
