//! Reads of what gates said.

use orch_core::ids::TaskId;

use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::gate_result::{GateResult, decode, gate_result_columns};
use crate::rows::sound;

/// Every gate's result of a task, oldest first.
pub(crate) fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<GateResult>> {
    let rows = tx.query(
        concat!(
            "SELECT ",
            gate_result_columns!(),
            " FROM gate_results g WHERE g.task_id = $1 ORDER BY g.id"
        ),
        params![task],
    )?;
    Ok(sound(rows, decode))
}
