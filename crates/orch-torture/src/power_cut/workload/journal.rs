//! The journal of what was acknowledged: one `write` per line, so that the recording shows each
//! at its moment.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

use crate::power_cut::ack::Ack;

/// The open journal.
#[derive(Debug)]
pub(super) struct Journal(File);

impl Journal {
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create_new(true).append(true).open(path);
        file.map(Self).with_context(|| format!("cannot make {}", path.display()))
    }

    /// Notes what the store has just said was done.
    pub(super) fn note(&self, ack: &Ack) -> anyhow::Result<()> {
        let mut line = serde_json::to_vec(ack)?;
        line.push(b'\n');
        let written = (&self.0).write(&line).context("cannot write the journal")?;
        anyhow::ensure!(written == line.len(), "the journal took {written} of {}", line.len());
        Ok(())
    }
}
