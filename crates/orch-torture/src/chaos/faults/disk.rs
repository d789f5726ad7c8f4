//! A full disk.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::hold;
use crate::chaos::bed::{Bed, DISK_MB};

/// Files made so far.
static FILLERS: AtomicU32 = AtomicU32::new(0);

/// Fills the disk under the state directory to its last byte, and makes room again.
pub fn fill(bed: &Bed, lasts: Duration, stop: &dyn Fn() -> bool) -> std::io::Result<()> {
    if !bed.is_on_small_disk() {
        return Err(std::io::Error::other("the state directory is on no disk of its own"));
    }
    // Two of these may overlap: each removes its own file.
    let number = FILLERS.fetch_add(1, Ordering::Relaxed);
    let path = bed.orch.home().join(format!("filler-{number}"));
    let filled =
        OpenOptions::new().create(true).append(true).open(&path).map(|file| to_the_brim(&file));
    hold(lasts, stop);
    std::fs::remove_file(&path)?;
    filled
}

fn to_the_brim(mut file: &File) {
    let mut room = u64::from(DISK_MB) << 20;
    for size in [1 << 20, 1 << 12, 1] {
        let piece = vec![0; size];
        // The error is the aim: no room for another piece of this size. Whatever happens to the
        // small disk, no more is written than it holds.
        while room >= size as u64 && file.write_all(&piece).is_ok() {
            room -= size as u64;
        }
    }
}
