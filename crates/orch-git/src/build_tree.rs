//! A checkout that is kept for building: at one path for every revision, so that what was built
//! before is not built again.

use std::path::{Path, PathBuf};

use orch_core::ids::Revision;

use crate::command::{Git, Place};
use crate::error::Result;

/// A checkout for building.
#[derive(Debug, Clone)]
pub struct BuildTree {
    path: PathBuf,
}

impl BuildTree {
    /// The checkout at `path`, made where there is none, with exactly this revision in it as some
    /// repository on this machine has it. What is ignored by git stays: it is what was built before.
    pub fn at(git: &Git, path: &Path, from: &Path, revision: &Revision) -> Result<Self> {
        let here = || git.at(Place::Folder(path));
        if !path.join(".git").exists() {
            git.at(Place::Nowhere).args(["init", "--quiet"]).arg(path).ok()?;
        }
        let commit = format!("{revision}^{{commit}}");
        let known = here().args(["cat-file", "-e", &commit]).run()?.code == Some(0);
        if !known {
            here().args(["fetch", "--quiet", "--no-tags"]).arg(from).arg("HEAD").ok()?;
        }
        let checkout = ["checkout", "--quiet", "--force", "--detach", revision.as_str()];
        here().args(checkout).ok()?;
        here().args(["clean", "--quiet", "--force", "-d"]).ok()?;
        Ok(Self { path: path.to_owned() })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
