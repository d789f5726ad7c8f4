//! The serial gate's tick: whoever could enter and was not let in, enters. After a change of the
//! policy this is what makes it felt; otherwise it finds nothing to do.

use jiff::Timestamp;
use orch_core::ids::RepoId;
use orch_core::serial_gate::GatePolicy;

use super::admission;
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::Reader;

/// Looks at every repository in which a task waits; returns how many slots changed hands.
pub(crate) fn readmit(tx: &mut dyn Tx, now: Timestamp, gate: GatePolicy) -> Result<u64> {
    let rows = tx.query(
        "SELECT r.id FROM repos r WHERE EXISTS (SELECT 1 FROM tasks t WHERE t.repo_id = r.id \
         AND t.status = 'open' AND t.gate_slot IS NULL AND t.paused_at IS NULL) \
         OR EXISTS (SELECT 1 FROM jobs j JOIN tasks t ON t.id = j.task_id \
         WHERE j.status = 'held' AND t.repo_id = r.id AND t.gate_slot IS NOT NULL) \
         OR EXISTS (SELECT 1 FROM tasks t WHERE t.repo_id = r.id AND t.gate_slot IS NOT NULL \
         AND (t.gate_slot >= $1) <> (EXISTS (SELECT 1 FROM gate_stages) \
         AND t.stage NOT IN (SELECT g.stage FROM gate_stages g)))",
        params![orch_core::serial_gate::PASSAGE],
    )?;
    let mut changes = 0;
    for row in rows {
        let repo = RepoId(Reader::new("repos", row).int("id")?);
        changes += admission::admit(tx, now, gate, repo)?;
    }
    Ok(changes)
}
