//! Versions that failed their trial: remembered, so that none is tried again by itself.

use jiff::Timestamp;
use orch_core::ids::VersionName;
use serde::{Deserialize, Serialize};

use crate::error::{LauncherError, Result};
use crate::prefix::Prefix;

/// Why a version is not tried again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bad {
    /// What it failed of.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

fn file(version: &VersionName) -> String {
    format!("bad/{version}.json")
}

/// What a version failed of; `None` where it did not. A mark that can't be read still counts.
pub fn bad(prefix: &Prefix, version: &VersionName) -> Option<Bad> {
    prefix.read(&file(version)).unwrap_or_else(|error| {
        let (reason, at) = (format!("its mark can't be read: {error}"), Timestamp::UNIX_EPOCH);
        Some(Bad { reason, at })
    })
}

pub(crate) fn mark(prefix: &Prefix, version: &VersionName, reason: &str) -> Result<()> {
    let bad = Bad { reason: reason.to_owned(), at: Timestamp::now() };
    prefix.write(&file(version), &bad)
}

/// Gives a version another chance.
pub fn forget_bad(prefix: &Prefix, version: &VersionName) -> Result<()> {
    let path = prefix.join(&file(version));
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LauncherError::io("cannot remove", &path)(error))
        }
        _ => Ok(()),
    }
}
