//! Which faults hold tasks: the last run of a held job says it.

use orch_core::breaker::{Cause, Held, Signature};
use orch_core::outcome::Outcome;

use crate::engine::{Row, Tx};
use crate::error::Result;
use crate::rows::{Reader, sound};

/// Tasks held by infrastructure, by their cause; causes in the order of their oldest task.
pub(crate) fn causes(tx: &mut dyn Tx) -> Result<Vec<Cause>> {
    let rows = tx.query(
        "SELECT t.key, r.channel, r.fault, r.outcome, \
         CASE WHEN b.closed_at >= j.held_at THEN 1 ELSE 0 END FROM jobs j \
         JOIN tasks t ON t.id = j.task_id \
         JOIN runs r ON r.task_id = j.task_id AND r.job_id = j.id AND r.run_epoch = j.run_epoch \
         LEFT JOIN breakers b ON b.channel = r.channel \
         WHERE j.status = 'held' AND j.hold_kind = 'infra' AND r.fault IS NOT NULL ORDER BY t.id",
        &[],
    )?;
    let mut causes: Vec<Cause> = Vec::new();
    for (task, signature, said) in sound(rows, held) {
        match causes.iter_mut().find(|cause| cause.signature == signature) {
            Some(cause) => cause.held.push(task),
            None => causes.push(Cause { signature, said, held: vec![task] }),
        }
    }
    Ok(causes)
}

fn held(row: Row) -> Result<(Held, Signature, String)> {
    let mut row = Reader::new("jobs", row);
    let key = row.parsed("key")?;
    let signature = Signature { channel: row.parsed("channel")?, fault: row.text("fault")? };
    let said = row.json::<Outcome>("outcome")?.reason().unwrap_or("no reason was given").to_owned();
    let mended = row.int("mended")? == 1;
    Ok((Held { key, mended }, signature, said))
}
