//! The stages that the serial gate guards.

use std::collections::BTreeSet;

use orch_core::ids::StageName;

use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::{Reader, count};

/// The guarded stages in the database's own order; empty means all.
pub(crate) fn read(tx: &mut dyn Tx) -> Result<Vec<String>> {
    let rows = tx.query("SELECT stage FROM gate_stages ORDER BY stage", &[])?;
    rows.into_iter().map(|row| Reader::new("gate_stages", row).text("stage")).collect()
}

/// Whether the gate guards only some stages.
pub(crate) fn any(tx: &mut dyn Tx) -> Result<bool> {
    let rows = tx.query("SELECT count(*) FROM gate_stages", &[])?;
    Ok(count(&rows) > 0)
}

/// Guards these stages from now on; says whether that changed anything.
pub(crate) fn set(tx: &mut dyn Tx, stages: &BTreeSet<StageName>) -> Result<bool> {
    let known: BTreeSet<String> = read(tx)?.into_iter().collect();
    let wanted: BTreeSet<String> = stages.iter().map(ToString::to_string).collect();
    for stage in known.difference(&wanted) {
        tx.execute("DELETE FROM gate_stages WHERE stage = $1", params![stage])?;
    }
    for stage in wanted.difference(&known) {
        tx.execute(
            "INSERT INTO gate_stages (stage) VALUES ($1) ON CONFLICT (stage) DO NOTHING",
            params![stage],
        )?;
    }
    Ok(known != wanted)
}
