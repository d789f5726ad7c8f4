//! The disk first: how long it takes to keep what it was given rules every other figure.

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::spread::Spread;

/// A page of the database.
const PAGE: [u8; 4096] = [7; 4096];

/// Appends pages and waits for each.
pub fn fsync(dir: &Path, times: usize) -> anyhow::Result<Spread> {
    let path = dir.join("probe");
    let probe = || -> std::io::Result<Spread> {
        let mut file = std::fs::File::create(&path)?;
        let mut took = Vec::with_capacity(times);
        for _ in 0..times {
            file.write_all(&PAGE)?;
            let begun = Instant::now();
            file.sync_data()?;
            took.push(begun.elapsed());
        }
        std::fs::remove_file(&path)?;
        Ok(Spread::of(took))
    };
    probe().with_context(|| format!("{} can't be written", path.display()))
}
