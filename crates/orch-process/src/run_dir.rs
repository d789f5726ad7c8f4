//! The layout of one run's directory: which file means what, and nothing more.
//!
//! `exit.json` alone outlives a power cut. All else speaks to processes of the same boot, which a
//! power cut ends, so that no run waits for a disk before it begins; what the cut leaves of these
//! files reads as a run that never began or that nobody looks after, and both are taken back.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::fsio;

/// The directory of one run. Readable by its owner only: the specification holds an environment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RunDir(PathBuf);

impl RunDir {
    /// Names a run directory; nothing is touched.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the run is to do ([`crate::RunSpec`]), written by the launcher.
    pub fn spec(&self) -> PathBuf {
        self.0.join("spec.json")
    }

    /// The output, one JSON object a line, written by the supervisor.
    pub fn log(&self) -> PathBuf {
        self.0.join("log.jsonl")
    }

    /// How the run ended (`RunExit`); the supervisor's last act.
    pub fn exit(&self) -> PathBuf {
        self.0.join("exit.json")
    }

    /// The supervisor's identity.
    pub fn supervisor(&self) -> PathBuf {
        self.0.join("supervisor.json")
    }

    /// The supervisor's own complaints, if any.
    pub fn supervisor_err(&self) -> PathBuf {
        self.0.join("supervisor.err")
    }

    /// The child's identity; absent until the child has been started.
    pub fn child(&self) -> PathBuf {
        self.0.join("child.json")
    }

    /// The one-shot right to start; whoever creates it has it, for ever.
    pub fn claim(&self) -> PathBuf {
        self.0.join("claim")
    }

    /// Its presence asks the supervisor to end the run.
    pub fn stop(&self) -> PathBuf {
        self.0.join("stop")
    }

    /// Makes the directory (mode 0700) and its parents, if they are not there.
    pub(crate) fn create(&self) -> io::Result<()> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0)
    }

    /// Makes durable that the directory is there.
    pub(crate) fn sync_entry(&self) -> io::Result<()> {
        self.0.parent().map_or(Ok(()), fsio::sync_dir)
    }
}
