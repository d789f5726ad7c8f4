//! What a migration would do, tried on a copy: the database itself is only read.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::Connection;

use super::{applied, apply, copies, failed, refuse_newer};
use crate::engine::migrate::{Migration, MigrationPlan, newest, pending, version};
use crate::engine::sqlite::care;
use crate::engine::sqlite::connect::open_existing;
use crate::error::{Result, StoreError};

/// Takes the missing steps on a copy, which is gone afterwards. A database that is not there yet is
/// tried in memory.
pub(crate) fn dry_run(file: &Path, steps: &[Migration]) -> Result<MigrationPlan> {
    let exists = std::fs::symlink_metadata(file).is_ok();
    if !exists {
        return try_on(&Connection::open_in_memory().map_err(failed("opening"))?, steps);
    }
    let original = open_existing(file)?;
    refuse_newer(&original, Some(file), steps)?;
    let before = applied(&original)?;
    if pending(&before, steps, || None)?.is_empty() {
        return Ok(MigrationPlan { from: version(&before), to: newest(steps), pending: vec![] });
    }
    let ending = format!("dry-run-{}", Timestamp::now().as_microsecond());
    let copy = copies::beside(file, &ending);
    match care::backup(&original, &copy) {
        Err(StoreError::DamagedCopy { .. }) => {}
        made => made?,
    }
    let tried = open_existing(&copy).and_then(|connection| try_on(&connection, steps));
    for left in [copy.clone(), copies::beside(file, &format!("{ending}-journal"))] {
        // The journal is there only after a crash of the engine.
        drop(std::fs::remove_file(left));
    }
    tried
}

fn try_on(connection: &Connection, steps: &[Migration]) -> Result<MigrationPlan> {
    let from = version(&applied(connection)?);
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed("beginning a migration"))?;
    let done = apply(connection, steps);
    connection.execute_batch("ROLLBACK").map_err(failed("ending a migration"))?;
    let pending = done?.iter().map(|step| (step.version, step.name.to_owned())).collect();
    Ok(MigrationPlan { from, to: newest(steps), pending })
}
