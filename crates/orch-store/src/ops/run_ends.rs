//! When runs ended.

use std::collections::HashMap;

use jiff::Timestamp;
use orch_core::ids::RunId;

use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::Reader;

/// When each of these runs ended; `None` for one that has not, and no entry for one that is not
/// known.
pub(crate) fn run_ends(
    tx: &mut dyn Tx,
    runs: &[RunId],
) -> Result<HashMap<RunId, Option<Timestamp>>> {
    let mut ends = HashMap::new();
    for run in runs {
        let rows = tx.query(
            "SELECT n.run_id, n.finished_at FROM runs n WHERE n.run_id = $1",
            params![run],
        )?;
        if let Some(row) = rows.into_iter().next() {
            let mut row = Reader::new("runs", row);
            row.text("run_id")?;
            ends.insert(run.clone(), row.opt_time("finished_at")?);
        }
    }
    Ok(ends)
}
