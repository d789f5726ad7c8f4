//! What a run leaves behind: its end, and what the gate said of it.

use jiff::Timestamp;
use orch_core::breaker::{CauseId, Signature, fault_of};
use orch_core::ids::{Revision, RunId, TaskId};
use orch_core::outcome::Outcome;
use orch_core::stage::Gate;
use orch_core::verdict::Verdict;

use super::json;
use crate::engine::{Tx, params};
use crate::error::{Result, StoreError};
use crate::ops::breakers;
use crate::ops::guard::Guard;
use crate::ops::llm_calls;
use crate::rows::Reader;
use crate::rows::run::Usage;

/// A run's end.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    /// The run.
    pub run_id: RunId,
    /// What its end means.
    pub outcome: Outcome,
    /// The gate that judged it, what it said, and of which revision; `None` where no gate was
    /// asked.
    pub gate: Option<(Gate, Verdict, Option<Revision>)>,
    /// The tip of the branch when it had ended.
    pub end_commit: Option<Revision>,
    /// What it consumed.
    pub usage: Usage,
}

/// Ends the run of the guard's epoch. Without a record a run that is still open is closed all the
/// same: as cancelled where an operator took the job away, else as lost.
pub(super) fn close(
    tx: &mut dyn Tx,
    now: Timestamp,
    guard: &Guard,
    task_id: TaskId,
    record: Option<&RunRecord>,
) -> Result<()> {
    let Some(record) = record else { return abandon(tx, now, guard) };
    let closed = tx.execute(
        "UPDATE runs SET finished_at = $4, outcome_kind = $5, outcome = $6, end_commit = $7, \
         input_tokens = $8, output_tokens = $9, cost_micros = $10, \
         fault = CASE WHEN channel IS NULL THEN NULL ELSE CAST($11 AS TEXT) END \
         WHERE run_id = $1 AND job_id = $2 AND run_epoch = $3 AND finished_at IS NULL",
        params![
            &record.run_id,
            guard.job_id(),
            guard.run_epoch(),
            now,
            record.outcome.kind(),
            json("outcome", &record.outcome)?,
            record.end_commit.as_ref(),
            record.usage.input_tokens,
            record.usage.output_tokens,
            record.usage.cost_micros,
            fault_of(&record.outcome),
        ],
    )?;
    if closed == 0 {
        let reason = format!("it is not the open run of job {}", guard.job_id());
        return Err(StoreError::conflict(&record.run_id, reason));
    }
    llm_calls::end(tx, now, &record.run_id, record.outcome.kind())?;
    // A suite that came to its end, to whatever one, went through.
    if matches!(record.outcome, Outcome::SuiteRan { .. } | Outcome::Unproven { .. }) {
        breakers::probe_passed(tx, now, &record.run_id)?;
    }
    let Some((gate, verdict, revision)) = &record.gate else { return Ok(()) };
    let reasons = match verdict {
        Verdict::Pass { reasons } | Verdict::Refused { reasons } => json("reasons", reasons)?,
        Verdict::Fail { findings } => json("findings", findings)?,
    };
    tx.execute(
        "INSERT INTO gate_results (run_id, task_id, stage, gate, verdict, reasons, revision, at) \
         SELECT run_id, $2, stage, $3, $4, $5, $6, $7 FROM runs WHERE run_id = $1",
        params![
            &record.run_id,
            task_id,
            gate.name(),
            verdict.word(),
            reasons,
            revision.as_ref(),
            now,
        ],
    )?;
    Ok(())
}

/// The name of the fault that a run met; `None` where it met none.
pub(super) fn cause(tx: &mut dyn Tx, run: Option<&RunRecord>) -> Result<Option<CauseId>> {
    let Some(record) = run.filter(|record| fault_of(&record.outcome).is_some()) else {
        return Ok(None);
    };
    let rows = tx.query(
        "SELECT r.run_id, r.channel, r.fault FROM runs r WHERE r.run_id = $1 AND r.fault IS NOT NULL",
        params![&record.run_id],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut row = Reader::new("runs", row);
    row.text("run_id")?;
    let signature = Signature { channel: row.parsed("channel")?, fault: row.text("fault")? };
    Ok(Some(signature.cause()))
}

fn abandon(tx: &mut dyn Tx, now: Timestamp, guard: &Guard) -> Result<()> {
    let outcome = match guard {
        Guard::Any { .. } => Outcome::Cancelled,
        Guard::Run(_) | Guard::Idle { .. } => {
            Outcome::Lost { reason: "its job was taken back".to_owned() }
        }
    };
    tx.execute(
        "UPDATE runs SET finished_at = $2, outcome_kind = $3, outcome = $4 \
         WHERE job_id = $1 AND finished_at IS NULL",
        params![guard.job_id(), now, outcome.kind(), json("outcome", &outcome)?],
    )?;
    tx.execute(
        "UPDATE llm_calls SET finished_at = $2, outcome_kind = $3 WHERE finished_at IS NULL \
         AND call_id = run_id AND run_id IN (SELECT n.run_id FROM runs n WHERE n.job_id = $1)",
        params![guard.job_id(), now, outcome.kind()],
    )?;
    Ok(())
}
