//! How far a run has been handed on: `published.json` in its directory.

use std::io;
use std::path::Path;

use orch_process::files;
use serde::{Deserialize, Serialize};

/// The file's name.
const NAME: &str = "published.json";

/// How far a run has been handed on. After a crash it may say less than is true, never more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    /// Bytes of the log that are in the store.
    pub log: u64,
    /// Everything is.
    pub complete: bool,
}

impl Marker {
    /// What the run's directory says; nothing handed on where it says nothing readable.
    pub fn read(dir: &Path) -> Self {
        let text = std::fs::read(dir.join(NAME)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Writes it whole.
    pub fn write(self, dir: &Path) -> io::Result<()> {
        files::publish(&dir.join(NAME), &serde_json::to_vec(&self)?)
    }
}

/// Whether everything of the run in this directory is in the object store: then the directory is
/// no longer the only place it is in.
pub fn is_published(dir: &Path) -> bool {
    Marker::read(dir).complete
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_readable_counts_as_not_handed_on() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Marker::read(dir.path()), Marker::default());
        let marker = Marker { log: 7, complete: true };
        marker.write(dir.path()).unwrap();
        assert_eq!(Marker::read(dir.path()), marker);
        assert!(is_published(dir.path()));
        for torn in ["", "{\"log\":7", "{\"log\":-1,\"complete\":true}", "[]"] {
            std::fs::write(dir.path().join(NAME), torn).unwrap();
            assert!(!is_published(dir.path()), "{torn}");
        }
    }
}
