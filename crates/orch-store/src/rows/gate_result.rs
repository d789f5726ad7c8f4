//! What gates said.

use jiff::Timestamp;
use orch_core::ids::{Revision, RunId, StageName};
use orch_core::stage::Gate;
use orch_core::verdict::Verdict;

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// What a gate said of a run's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateResult {
    /// Its row; rises with time.
    pub id: i64,
    /// The run that was judged.
    pub run_id: RunId,
    /// The stage.
    pub stage: StageName,
    /// The gate.
    pub gate: Gate,
    /// What it said.
    pub verdict: Verdict,
    /// The revision that was judged, where the gate looks at one.
    pub revision: Option<Revision>,
    /// When.
    pub at: Timestamp,
}

/// The columns that [`decode`] reads.
macro_rules! gate_result_columns {
    () => {
        "g.id, g.run_id, g.stage, g.gate, g.verdict, g.reasons, g.revision, g.at"
    };
}
pub(crate) use gate_result_columns;

pub(crate) fn decode(row: Row) -> Result<GateResult> {
    let mut row = Reader::new("gate_results", row);
    Ok(GateResult {
        id: row.int("id")?,
        run_id: row.parsed("run_id")?,
        stage: row.parsed("stage")?,
        gate: gate(&mut row)?,
        verdict: verdict(&mut row)?,
        revision: row.opt_parsed("revision")?,
        at: row.time("at")?,
    })
}

fn gate(row: &mut Reader) -> Result<Gate> {
    let name = row.text("gate")?;
    Gate::by_name(&name).ok_or_else(|| row.impossible(format!("gate is {name:?}")))
}

/// `reasons` holds lines of text, and for a failed verdict the findings.
fn verdict(row: &mut Reader) -> Result<Verdict> {
    match row.text("verdict")?.as_str() {
        "pass" => Ok(Verdict::Pass { reasons: row.json("reasons")? }),
        "refused" => Ok(Verdict::Refused { reasons: row.json("reasons")? }),
        "fail" => Ok(Verdict::Fail { findings: row.json("reasons")? }),
        word => Err(row.impossible(format!("verdict is {word:?}"))),
    }
}
