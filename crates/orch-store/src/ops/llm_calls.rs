//! Starts of language models: begun under the run's fence, settled with what they consumed, and
//! added up for budgets and reports.

use jiff::Timestamp;
use orch_core::channel::Route;
use orch_core::ids::{AgentName, RepoName, RunId, TaskId, WorkerId};
use orch_core::job::Fence;
use orch_core::money::{Consumed, Priced, Raise, SessionTotals, Spend, Spent};

use super::apply::json;
use super::guard::{Guard, fence_holds};
use crate::engine::{Row, Tx, Value, params};
use crate::error::Result;
use crate::rows::{Reader, sound};

/// A language model is about to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLlmCall {
    /// The run's id, or one of its own where it is started beside the run.
    pub call_id: RunId,
    /// The registered call site.
    pub call_site: &'static str,
    /// The role whose settings it is started with.
    pub agent: AgentName,
    /// The sort of program.
    pub adapter: &'static str,
    /// The provider account that pays.
    pub account: String,
}

/// What a call came to; written before its end and again after a crash, with the same result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallSpend {
    /// What it consumed.
    pub consumed: Consumed,
    /// What it cost by which prices, where the program did not say.
    pub priced: Option<Priced>,
    /// The session it belonged to.
    pub session: Option<String>,
}

impl CallSpend {
    /// What it cost, in millionths of a US dollar.
    pub fn cost_micros(&self) -> u64 {
        let priced = self.priced.as_ref().map(|priced| priced.cost_micros);
        self.consumed.cost_micros.or(priced).unwrap_or_default()
    }
}

/// A start of a language model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LlmCall {
    /// The run's id, or one of its own.
    pub call_id: RunId,
    /// The run that it belongs to.
    pub run_id: RunId,
    /// The registered call site.
    pub call_site: String,
    /// The role whose settings it was started with.
    pub agent: AgentName,
    /// The sort of program.
    pub adapter: String,
    /// The provider account that pays.
    pub account: String,
    /// Tokens read, with those from the provider's cache.
    pub input_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written, with those not shown.
    pub output_tokens: u64,
    /// Tokens that were thought and not shown.
    pub reasoning_tokens: u64,
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// The version of the prices that priced it; `None` where the program said the cost itself.
    pub prices: Option<String>,
    /// The model, where it was said.
    pub model: Option<String>,
}

/// Notes a start. Fenced where the run has lost its job; the same start noted again changes
/// nothing.
pub(crate) fn begin(
    tx: &mut dyn Tx,
    now: Timestamp,
    fence: &Fence,
    call: &NewLlmCall,
) -> Result<()> {
    let begun = tx.query(
        concat!("SELECT task_id FROM jobs WHERE ", fence_holds!()),
        params![fence.job_id, fence.run_epoch, &fence.run_id],
    )?;
    if begun.is_empty() {
        return Err(Guard::Run(fence.clone()).fenced());
    }
    tx.execute(
        "INSERT INTO llm_calls (call_id, run_id, task_id, repo_id, call_site, agent, adapter, \
         account, started_at) SELECT $1, $2, t.id, t.repo_id, $3, $4, $5, $6, $7 \
         FROM jobs j JOIN tasks t ON t.id = j.task_id WHERE j.id = $8 \
         ON CONFLICT (call_id) DO NOTHING",
        params![
            &call.call_id,
            &fence.run_id,
            call.call_site,
            &call.agent,
            call.adapter,
            &call.account,
            now,
            fence.job_id,
        ],
    )?;
    Ok(())
}

/// Notes what a call consumed. It is a fact about money, whoever owns the job by now: no fence.
pub(crate) fn settle(tx: &mut dyn Tx, call_id: &RunId, spend: &CallSpend) -> Result<()> {
    let tokens = spend.consumed.tokens;
    let session = spend.session.as_ref();
    let totals = session.map(|_| json("session", &spend.consumed.session)).transpose()?;
    tx.execute(
        "UPDATE llm_calls SET input_tokens = $2, cached_input_tokens = $3, output_tokens = $4, \
         reasoning_tokens = $5, cost_micros = $6, prices = $7, model = $8, session = $9, \
         session_totals = $10 WHERE call_id = $1",
        params![
            call_id,
            bounded(tokens.input),
            bounded(tokens.cached_input),
            bounded(tokens.output),
            bounded(tokens.reasoning),
            bounded(spend.cost_micros()),
            spend.priced.as_ref().map(|priced| &priced.version),
            spend.consumed.model.as_ref(),
            session,
            totals,
        ],
    )?;
    Ok(())
}

/// A figure that sums of many don't overflow.
fn bounded(figure: u64) -> u64 {
    const MOST: u64 = 1_000_000_000_000;
    figure.min(MOST)
}

/// The way that a run took; `None` where no language model was started.
pub(crate) fn route_of(tx: &mut dyn Tx, run: &RunId) -> Result<Option<Route>> {
    let rows = tx.query(
        "SELECT c.call_id, c.agent, c.account, coalesce((SELECT min(w.position) FROM routes w \
         JOIN runs n ON n.agent = w.agent WHERE n.run_id = c.run_id \
         AND w.repo_id = c.repo_id AND w.settings = c.agent), 0) \
         FROM llm_calls c WHERE c.call_id = $1",
        params![run],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    let mut row = Reader::new("llm_calls", row);
    row.text("call_id")?;
    let (settings, account) = (row.parsed("agent")?, row.text("account")?);
    Ok(Some(Route { settings, account, position: row.number("position")? }))
}

/// Ends a call that was started beside its run.
pub(crate) fn end(tx: &mut dyn Tx, now: Timestamp, call_id: &RunId, outcome: &str) -> Result<()> {
    tx.execute(
        "UPDATE llm_calls SET finished_at = $2, outcome_kind = $3 \
         WHERE call_id = $1 AND finished_at IS NULL",
        params![call_id, now, outcome],
    )?;
    Ok(())
}

/// Ends what a worker started beside its runs and does not look after any more.
pub(crate) fn abandon_beside(tx: &mut dyn Tx, now: Timestamp, worker: &WorkerId) -> Result<()> {
    tx.execute(
        "UPDATE llm_calls SET finished_at = $2, outcome_kind = 'lost' \
         WHERE finished_at IS NULL AND call_id <> run_id \
         AND run_id IN (SELECT n.run_id FROM runs n WHERE n.worker_id = $1)",
        params![worker, now],
    )?;
    Ok(())
}

/// What a session had consumed by the end of its last call; nothing for one that is not known.
pub(crate) fn session_totals(tx: &mut dyn Tx, session: &str) -> Result<SessionTotals> {
    let rows = tx.query(
        "SELECT call_id, session_totals FROM llm_calls WHERE session = $1 \
         AND finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 1",
        params![session],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok(SessionTotals::default()) };
    let mut row = Reader::new("llm_calls", row);
    row.text("call_id")?;
    Ok(row.opt_json("session_totals")?.unwrap_or_default())
}

/// Every call of a task, oldest first.
pub(crate) fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<LlmCall>> {
    let rows = tx.query(
        "SELECT call_id, run_id, call_site, agent, adapter, account, input_tokens, \
         cached_input_tokens, output_tokens, reasoning_tokens, cost_micros, prices, model \
         FROM llm_calls \
         WHERE task_id = $1 ORDER BY started_at, call_id",
        params![task],
    )?;
    Ok(sound(rows, |row| {
        let mut row = Reader::new("llm_calls", row);
        Ok(LlmCall {
            call_id: row.parsed("call_id")?,
            run_id: row.parsed("run_id")?,
            call_site: row.text("call_site")?,
            agent: row.parsed("agent")?,
            adapter: row.text("adapter")?,
            account: row.text("account")?,
            input_tokens: row.number("input_tokens")?,
            cached_input_tokens: row.number("cached_input_tokens")?,
            output_tokens: row.number("output_tokens")?,
            reasoning_tokens: row.number("reasoning_tokens")?,
            cost_micros: row.number("cost_micros")?,
            prices: row.opt_text("prices")?,
            model: row.opt_text("model")?,
        })
    }))
}

/// A day in milliseconds.
const DAY_MS: i64 = 86_400_000;

/// The first moment of the day, by the sun of Greenwich.
pub(crate) fn day_start(now: Timestamp) -> i64 {
    now.as_millisecond().div_euclid(DAY_MS) * DAY_MS
}

/// What a task, its repository today, and everybody today have spent, and what the task was
/// allowed above its limit.
pub(crate) fn spent(tx: &mut dyn Tx, now: Timestamp, task: TaskId) -> Result<(Spent, Raise)> {
    let today = day_start(now);
    let spent = Spent {
        task: sum(tx, "task_id = $1", params![task])?,
        repo_day: sum(
            tx,
            "started_at >= $2 AND repo_id = (SELECT t.repo_id FROM tasks t WHERE t.id = $1)",
            params![task, today],
        )?,
        day: sum(tx, "started_at >= $1", params![today])?,
    };
    let rows = tx.query(
        "SELECT task_id, cost_micros, tokens FROM raised_budgets WHERE task_id = $1",
        params![task],
    )?;
    let Some(row) = rows.into_iter().next() else { return Ok((spent, Raise::default())) };
    let mut row = Reader::new("raised_budgets", row);
    row.int("task_id")?;
    let raise = Raise { cost_micros: row.number("cost_micros")?, tokens: row.number("tokens")? };
    Ok((spent, raise))
}

fn sum(tx: &mut dyn Tx, of: &str, values: &[Value]) -> Result<Spend> {
    let (cost, tokens) = (total("cost_micros"), total("input_tokens + output_tokens"));
    let sql = format!("SELECT {cost}, {tokens} FROM llm_calls WHERE {of}");
    let rows = tx.query(&sql, values)?;
    let Some(row) = rows.into_iter().next() else { return Ok(Spend::default()) };
    let mut row = Reader::new("llm_calls", row);
    Ok(Spend { cost_micros: row.number("cost_micros")?, tokens: row.number("tokens")? })
}

/// A sum; PostgreSQL adds whole numbers up to one without bounds, which the cast takes back.
fn total(of: &str) -> String {
    format!("CAST(coalesce(sum({of}), 0) AS BIGINT)")
}

/// Allows a task more than its budget, above what it was allowed before.
pub(crate) fn raise(tx: &mut dyn Tx, task: TaskId, raise: Raise) -> Result<()> {
    tx.execute(
        "INSERT INTO raised_budgets (task_id, cost_micros, tokens) VALUES ($1, $2, $3) \
         ON CONFLICT (task_id) DO UPDATE SET \
         cost_micros = raised_budgets.cost_micros + excluded.cost_micros, \
         tokens = raised_budgets.tokens + excluded.tokens",
        params![task, bounded(raise.cost_micros), bounded(raise.tokens)],
    )?;
    Ok(())
}

/// Which calls a report is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LlmFilter {
    /// Begun at this moment or later; `None` is all that is kept.
    pub since: Option<Timestamp>,
    /// Of this repository; `None` is all.
    pub repo: Option<RepoName>,
}

/// A sum of calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LlmSum {
    /// Calls.
    pub calls: u64,
    /// Those that are going on.
    pub open: u64,
    /// Those that ended in another way than by their own end.
    pub failed: u64,
    /// Tokens read, with those from the provider's cache.
    pub input_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Tokens written, with those not shown.
    pub output_tokens: u64,
    /// Tokens written and not shown.
    pub reasoning_tokens: u64,
    /// In millionths of a US dollar.
    pub cost_micros: u64,
    /// Calls that consumed tokens whose price nobody knows.
    pub unpriced: u64,
}

/// What calls came to, by call site, repository and day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LlmSums {
    /// By call site, with the median duration in milliseconds of those that ended.
    pub sites: Vec<(String, LlmSum, Option<u64>)>,
    /// By repository.
    pub repos: Vec<(String, LlmSum)>,
    /// By day (UTC), the newest first: its first moment.
    pub days: Vec<(Timestamp, LlmSum)>,
}

/// Days that a report lists.
const MAX_DAYS: u32 = 31;

/// Adds calls up.
pub(crate) fn report(tx: &mut dyn Tx, filter: &LlmFilter) -> Result<LlmSums> {
    let mut values = vec![Value::from(filter.since.map_or(0, Timestamp::as_millisecond))];
    let mut of = "c.started_at >= $1".to_owned();
    if let Some(repo) = &filter.repo {
        values.push(Value::from(repo));
        of.push_str(" AND c.repo_id = (SELECT r.id FROM repos r WHERE r.name = $2)");
    }
    let medians = medians(tx, &of, &values)?;
    let sites = grouped(tx, "c.call_site", "", &of, &values)?;
    let sites = sites.into_iter().map(|(row, sum)| {
        let site = text(row);
        let median = medians.iter().find(|(name, _)| *name == site).map(|(_, ms)| *ms);
        (site, sum, median)
    });
    let sites = sites.collect();
    let repos =
        grouped(tx, "(SELECT r.name FROM repos r WHERE r.id = c.repo_id)", "", &of, &values)?;
    let limit = format!(" ORDER BY 1 DESC LIMIT {MAX_DAYS}");
    let days = grouped(tx, &format!("c.started_at / {DAY_MS}"), &limit, &of, &values)?;
    let days = days.into_iter().filter_map(|(day, sum)| match day {
        Value::Int(day) => Some((Timestamp::from_millisecond(day * DAY_MS).ok()?, sum)),
        _ => None,
    });
    Ok(LlmSums {
        sites,
        repos: repos.into_iter().map(|(row, sum)| (text(row), sum)).collect(),
        days: days.collect(),
    })
}

fn text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        _ => String::new(),
    }
}

fn grouped(
    tx: &mut dyn Tx,
    by: &str,
    order: &str,
    of: &str,
    values: &[Value],
) -> Result<Vec<(Value, LlmSum)>> {
    let order = if order.is_empty() { " ORDER BY 1" } else { order };
    let totals = [
        "c.input_tokens",
        "c.cached_input_tokens",
        "c.output_tokens",
        "c.reasoning_tokens",
        "c.cost_micros",
    ];
    let totals = totals.map(total).join(", ");
    let sql = format!(
        "SELECT {by}, count(*), count(*) - count(c.finished_at), \
         count(CASE WHEN c.outcome_kind <> 'suite_ran' THEN 1 END), {totals}, \
         count(CASE WHEN c.cost_micros = 0 AND c.input_tokens + c.output_tokens > 0 THEN 1 END) \
         FROM llm_calls c WHERE {of} GROUP BY 1{order}"
    );
    let decode = |row: Row| {
        let mut values = row.into_iter();
        let by = values.next().unwrap_or(Value::Null);
        let mut row = Reader::new("llm_calls", values.collect());
        let sum = LlmSum {
            calls: row.number("calls")?,
            open: row.number("open")?,
            failed: row.number("failed")?,
            input_tokens: row.number("input_tokens")?,
            cached_input_tokens: row.number("cached_input_tokens")?,
            output_tokens: row.number("output_tokens")?,
            reasoning_tokens: row.number("reasoning_tokens")?,
            cost_micros: row.number("cost_micros")?,
            unpriced: row.number("unpriced")?,
        };
        Ok((by, sum))
    };
    tx.query(&sql, values)?.into_iter().map(decode).collect()
}

fn medians(tx: &mut dyn Tx, of: &str, values: &[Value]) -> Result<Vec<(String, u64)>> {
    let sql = format!(
        "SELECT d.call_site, d.took FROM (\
         SELECT c.call_site, c.finished_at - c.started_at AS took, \
         row_number() OVER (PARTITION BY c.call_site ORDER BY c.finished_at - c.started_at) AS n, \
         count(*) OVER (PARTITION BY c.call_site) AS among \
         FROM llm_calls c WHERE c.finished_at IS NOT NULL AND {of}) d WHERE d.n = (d.among + 1) / 2"
    );
    let rows = tx.query(&sql, values)?;
    Ok(sound(rows, |row| {
        let mut row = Reader::new("llm_calls", row);
        Ok((row.text("call_site")?, row.int("took")?.max(0).unsigned_abs()))
    }))
}
