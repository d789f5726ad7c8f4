//! Producers that worked beside the one that decided.

use jiff::Timestamp;
use orch_core::ids::RunId;

use super::llm_calls::LlmFilter;
use crate::engine::{Tx, Value, params};
use crate::error::Result;
use crate::rows::Reader;

/// A producer that worked beside a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// Its call, or an id of its own.
    pub call_id: RunId,
    /// The run that decides.
    pub run_id: RunId,
    /// The call site that it speaks of.
    pub call_site: &'static str,
    /// Whether it was the language model; else it was the runner.
    pub llm: bool,
    /// When it began.
    pub started_at: Timestamp,
    /// What its end means.
    pub outcome_kind: &'static str,
    /// What its gate would have said; `None` where its work did not run to its own end.
    pub verdict: Option<&'static str>,
}

/// How producers compare at a call site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShadowSum {
    /// The call site.
    pub call_site: String,
    /// Producers that worked beside.
    pub shadows: u64,
    /// Of them, those that came to a verdict, as did the one that decided.
    pub compared: u64,
    /// Of the compared, those that agree on whether it passes.
    pub agreed: u64,
    /// What the model took over all compared, in milliseconds.
    pub llm_ms: u64,
    /// What the runner took.
    pub runner_ms: u64,
    /// What the model cost, in millionths of a US dollar.
    pub llm_cost_micros: u64,
}

/// Keeps what a producer beside a run came to.
pub(crate) fn record(tx: &mut dyn Tx, now: Timestamp, shadow: &Shadow) -> Result<()> {
    tx.execute(
        "INSERT INTO shadows (call_id, run_id, task_id, repo_id, call_site, producer, started_at, \
         finished_at, outcome_kind, verdict) \
         SELECT $1, n.run_id, n.task_id, t.repo_id, $3, $4, $5, $6, $7, $8 \
         FROM runs n JOIN tasks t ON t.id = n.task_id WHERE n.run_id = $2 \
         ON CONFLICT (call_id) DO NOTHING",
        params![
            &shadow.call_id,
            &shadow.run_id,
            shadow.call_site,
            if shadow.llm { "llm" } else { "runner" },
            shadow.started_at,
            now.max(shadow.started_at),
            shadow.outcome_kind,
            shadow.verdict,
        ],
    )?;
    Ok(())
}

/// Compares producers, by call site.
pub(crate) fn sums(tx: &mut dyn Tx, filter: &LlmFilter) -> Result<Vec<ShadowSum>> {
    let mut values = vec![Value::from(filter.since.map_or(0, Timestamp::as_millisecond))];
    let mut of = "s.started_at >= $1".to_owned();
    if let Some(repo) = &filter.repo {
        values.push(Value::from(repo));
        of.push_str(" AND s.repo_id = (SELECT r.id FROM repos r WHERE r.name = $2)");
    }
    let both = "s.verdict IS NOT NULL AND g.verdict IS NOT NULL";
    let beside = "s.finished_at - s.started_at";
    // A clock that was put back during a run makes it no shorter than nothing.
    let deciding =
        "CASE WHEN n.finished_at > n.started_at THEN n.finished_at - n.started_at ELSE 0 END";
    let sum = |of: String| format!("CAST(coalesce(sum({of}), 0) AS BIGINT)");
    let took = |by: &str| {
        sum(format!(
            "CASE WHEN {both} THEN CASE WHEN s.producer = '{by}' THEN {beside} ELSE {deciding} END END"
        ))
    };
    let sql = format!(
        "SELECT s.call_site, count(*), count(CASE WHEN {both} THEN 1 END), \
         count(CASE WHEN {both} AND (s.verdict = 'pass') = (g.verdict = 'pass') THEN 1 END), \
         {}, {}, {} FROM shadows s JOIN runs n ON n.run_id = s.run_id \
         LEFT JOIN gate_results g ON g.run_id = s.run_id \
         LEFT JOIN llm_calls c ON c.call_id = \
         CASE WHEN s.producer = 'llm' THEN s.call_id ELSE s.run_id END \
         WHERE {of} GROUP BY s.call_site ORDER BY s.call_site",
        took("llm"),
        took("runner"),
        sum(format!("CASE WHEN {both} THEN c.cost_micros END")),
    );
    let decode = |row| {
        let mut row = Reader::new("shadows", row);
        Ok(ShadowSum {
            call_site: row.text("call_site")?,
            shadows: row.number("shadows")?,
            compared: row.number("compared")?,
            agreed: row.number("agreed")?,
            llm_ms: row.number("llm_ms")?,
            runner_ms: row.number("runner_ms")?,
            llm_cost_micros: row.number("llm_cost_micros")?,
        })
    };
    tx.query(&sql, &values)?.into_iter().map(decode).collect()
}
