//! Room on a disk.

use std::io;
use std::path::Path;

/// Bytes that this user may still write to the disk that a path is on.
pub fn free_disk(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
