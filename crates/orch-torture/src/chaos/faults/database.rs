//! A database that somebody else holds.

use std::time::Duration;

use super::hold;
use crate::chaos::bed::Bed;

/// Holds the write lock, and gives it back.
pub fn lock(bed: &Bed, lasts: Duration, stop: &dyn Fn() -> bool) -> rusqlite::Result<()> {
    let connection = bed.database()?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    hold(lasts, stop);
    connection.execute_batch("ROLLBACK")
}
