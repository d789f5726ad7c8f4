//! A full disk.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::time::Duration;

use super::hold;
use crate::chaos::bed::Bed;

/// Fills the disk under the state directory to its last byte, and makes room again.
pub fn fill(bed: &Bed, lasts: Duration, stop: &dyn Fn() -> bool) -> std::io::Result<()> {
    let path = bed.orch.home().join("filler");
    let filled =
        OpenOptions::new().create(true).append(true).open(&path).map(|file| to_the_brim(&file));
    hold(lasts, stop);
    std::fs::remove_file(&path)?;
    filled
}

fn to_the_brim(mut file: &File) {
    for size in [1 << 20, 1 << 12, 1] {
        let piece = vec![0; size];
        // The error is the aim: no room for another piece of this size.
        while file.write_all(&piece).is_ok() {}
    }
}
