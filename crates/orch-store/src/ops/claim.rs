//! A worker claims a job: the first by priority, then by age, of the tasks inside the serial gate.
//!
//! The search walks tasks inside and looks up each one's active job; whoever waits outside is not
//! looked at, nor is who waits for a channel that is shut. A row that is damaged is set aside with the damage as its reason, and the search
//! goes on: one dead job never wedges the queue.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use orch_core::breaker::Channel;
use orch_core::channel::Route;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{JobId, Label, RepoId, RunId, WorkerId};
use orch_core::job::Job;
use orch_core::serial_gate::GatePolicy;
use orch_core::task::Task;
use serde_json::json;

use super::channels::{Look, Way};
use super::guard::no_hold;
use super::{breakers, channels, damage, events, jobs, labels};
use crate::engine::{Tx, Value, params};
use crate::error::{Result, StoreError};
use crate::rows::Reader;

/// Jobs that one claim looks at and sets aside for a shut channel before it gives up until the next.
const MAX_LOOKS: usize = 1000;
/// Damaged rows that one claim sets aside before it gives up until the next: each is one write.
const MAX_DAMAGED: usize = 8;

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRequest {
    /// The worker.
    pub worker_id: WorkerId,
    /// The id of the run, made by the worker; never used before.
    pub run_id: RunId,
    /// How long the claim holds without a heartbeat.
    pub lease: Duration,
    /// What the worker has: it gets no job that asks for more.
    pub labels: BTreeSet<Label>,
    /// Runs that this worker may have at once.
    pub max_running: u32,
    /// Runs that one repository may have at once, over all workers; `None` is no limit.
    pub max_per_repo: Option<u32>,
    /// Runs that one agent may have at once, over all workers; `None` is no limit.
    pub max_per_agent: Option<u32>,
}

/// A claimed job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job; its state is `Running` with the new ownership.
    pub job: Job,
    /// Its task.
    pub task: Task,
    /// Which attempt at the stage by this agent it is, from 1. Only runs whose work ran to its own
    /// end count: what infrastructure ended is tried again under the same number.
    pub attempt: u32,
    /// The way that the run takes; `None` where none is known for the agent.
    pub route: Option<Route>,
}

/// The end of a lease that begins now.
pub(crate) fn lease_end(now: Timestamp, lease: Duration) -> i64 {
    let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
    now.as_millisecond().saturating_add(lease).min(Timestamp::MAX.as_millisecond())
}

/// Claims the next job; `None` where there is none for this worker.
pub(crate) fn claim(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    request: &ClaimRequest,
) -> Result<Option<Claim>> {
    let Some(busy) = Busy::read(tx, request)? else { return Ok(None) };
    let look = Look::read(tx, now)?;
    let mut damaged = Vec::new();
    let paused = breakers::any_open(tx)?;
    for _ in 0..MAX_LOOKS {
        if damaged.len() >= MAX_DAMAGED {
            break;
        }
        let probe = if paused { probe(tx, now, &busy, &look, &damaged)? } else { None };
        let which = if paused { Which::Unpaused } else { Which::Any };
        let (found, probed) = match probe {
            Some((found, channel)) => (found, Some(channel)),
            None => match search(tx, now, &busy, &look, &damaged, which)? {
                Some(found) => (found, None),
                None => return Ok(None),
            },
        };
        let Found { job_id, repo, agent } = found;
        let way = match look.way(tx, repo, &agent)? {
            Way::Free => None,
            Way::Open(channel, route) => Some((channel, route)),
            Way::Shut(channel) => {
                channels::park(tx, repo, &agent, channel)?;
                continue;
            }
            Way::Full => return Ok(None),
        };
        if let Some(channel) = probed
            && !breakers::let_through(tx, now, &channel, &request.run_id)?
        {
            // Another worker's probe is out; the next look passes this channel by.
            continue;
        }
        let mut claim = None;
        let taken = tx.attempt(&mut |tx| {
            claim = Some(take(tx, now, request, job_id, way.clone())?);
            Ok(())
        });
        match taken {
            Ok(()) => return Ok(claim),
            Err(error) if of_the_row(&error) => {
                pass_over(tx, now, gate, job_id, &error)?;
                damaged.push(job_id);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// True where the row is at fault. A run id that was used before is the caller's fault.
fn of_the_row(error: &StoreError) -> bool {
    match error {
        StoreError::Impossible { .. } => true,
        StoreError::Constraint { constraint, .. } => !constraint.contains("run_id"),
        _ => false,
    }
}

/// Sets a damaged job aside; where even that breaks a constraint, the search goes on without it.
fn pass_over(
    tx: &mut dyn Tx,
    now: Timestamp,
    gate: GatePolicy,
    job_id: JobId,
    error: &StoreError,
) -> Result<()> {
    match tx.attempt(&mut |tx| damage::set_aside(tx, now, gate, job_id, error)) {
        Err(StoreError::Constraint { constraint, .. }) => {
            tracing::error!(%job_id, constraint, "could not set a damaged job aside");
            Ok(())
        }
        other => other,
    }
}

/// What a claim passes by: repositories and agents that have as many runs as they may, and jobs
/// that ask for more than the worker has.
struct Busy {
    repos: Vec<RepoId>,
    agents: Vec<String>,
    /// The sets of labels that the worker has; `None` where no job asks for any.
    label_sets: Option<Vec<i64>>,
}

impl Busy {
    /// `None` where the worker itself has as many runs as it may.
    fn read(tx: &mut dyn Tx, request: &ClaimRequest) -> Result<Option<Self>> {
        let in_turn = tx.dialect().claim_in_turn;
        if !in_turn.is_empty()
            && (request.max_per_repo.is_some()
                || request.max_per_agent.is_some()
                || channels::any_limit(tx)?)
        {
            tx.query(in_turn, &[])?;
        }
        let own = tx.query(
            "SELECT count(*) FROM jobs WHERE status = 'running' AND worker_id = $1",
            params![&request.worker_id],
        )?;
        if crate::rows::count(&own) >= u64::from(request.max_running) {
            return Ok(None);
        }
        let label_sets = labels::served_by(tx, &request.labels)?;
        let mut busy = Self { repos: Vec::new(), agents: Vec::new(), label_sets };
        if let Some(limit) = request.max_per_repo {
            let rows = tx.query(
                "SELECT t.repo_id FROM jobs j JOIN tasks t ON t.id = j.task_id \
                 WHERE j.status = 'running' GROUP BY t.repo_id HAVING count(*) >= $1",
                params![limit],
            )?;
            for row in rows {
                busy.repos.push(RepoId(Reader::new("tasks", row).int("repo_id")?));
            }
        }
        if let Some(limit) = request.max_per_agent {
            let rows = tx.query(
                "SELECT agent FROM jobs WHERE status = 'running' \
                 GROUP BY agent HAVING count(*) >= $1",
                params![limit],
            )?;
            for row in rows {
                busy.agents.push(Reader::new("jobs", row).text("agent")?);
            }
        }
        Ok(Some(busy))
    }
}

/// The claim's search. `CROSS JOIN` keeps the order of the walk: tasks inside first.
pub(super) const SEARCH: &str = "SELECT j.id, t.repo_id, j.agent FROM tasks t CROSS JOIN jobs j \
     WHERE t.gate_slot IS NOT NULL AND t.parked_on IS NULL AND t.paused_at IS NULL \
     AND j.task_id = t.id AND j.finished_at IS NULL AND j.status = 'queued' \
     AND j.available_at <= $1";

/// The order of the claim: priority, then age.
pub(super) const ORDER: &str = " ORDER BY t.priority DESC, t.id LIMIT 1";

/// A job that may be claimed.
struct Found {
    job_id: JobId,
    repo: RepoId,
    agent: String,
}

/// The order among jobs of a paused channel: due ones first, then who was let through least often.
const PROBES: &str = " ORDER BY CASE WHEN j.available_at <= $2 THEN 0 ELSE 1 END, \
     j.run_epoch, t.priority DESC, t.id LIMIT 1";

/// Which jobs are looked at.
#[derive(Clone, Copy)]
enum Which<'a> {
    /// All that are due.
    Any,
    /// All that are due and go through no paused channel.
    Unpaused,
    /// Those that wait for this channel, due or not.
    Of(&'a str),
}

/// A job to be let through a paused channel whose time it is, to see whether it works again.
fn probe(
    tx: &mut dyn Tx,
    now: Timestamp,
    busy: &Busy,
    look: &Look,
    damaged: &[JobId],
) -> Result<Option<(Found, String)>> {
    for channel in breakers::due(tx, now)? {
        if let Some(found) = search(tx, now, busy, look, damaged, Which::Of(&channel))? {
            return Ok(Some((found, channel)));
        }
    }
    Ok(None)
}

fn search(
    tx: &mut dyn Tx,
    now: Timestamp,
    busy: &Busy,
    look: &Look,
    damaged: &[JobId],
    which: Which<'_>,
) -> Result<Option<Found>> {
    let mut sql = SEARCH.to_owned();
    not_in(&mut sql, "t.repo_id", busy.repos.iter().map(|id| id.0.to_string()));
    not_in(&mut sql, "j.id", damaged.iter().map(|id| id.0.to_string()));
    if let Some(served) = &busy.label_sets {
        sql.push_str(" AND (j.label_set IS NULL");
        if !served.is_empty() {
            let served: Vec<String> = served.iter().map(ToString::to_string).collect();
            sql.extend([" OR j.label_set IN (", &served.join(", "), ")"]);
        }
        sql.push(')');
    }
    let mut values = vec![Value::from(now)];
    match which {
        Which::Any => {}
        Which::Unpaused => sql.push_str(breakers::NOT_PAUSED),
        Which::Of(channel) => {
            values = vec![Value::from(Timestamp::MAX), Value::from(now), Value::from(channel)];
            sql.push_str(breakers::IN_SCOPE_OF_3);
        }
    }
    let first = values.len() + 1;
    // As many as a statement can have; a limit per agent with more agents than that is theory.
    values.extend(busy.agents.iter().take(32).map(Value::from));
    not_in(&mut sql, "j.agent", (first..=values.len()).map(|n| format!("${n}")));
    for (repo, agent) in &look.full_agents {
        values.push(Value::from(agent));
        let (repo, agent) = (repo.0, values.len());
        let (repo, agent) = (repo.to_string(), agent.to_string());
        sql.extend([" AND NOT (t.repo_id = ", &repo, " AND j.agent = $", &agent, ")"]);
    }
    sql.push_str(&look.room());
    sql.push_str(if matches!(which, Which::Of(_)) { PROBES } else { ORDER });
    sql.push_str(tx.dialect().claim_lock);
    let Some(row) = tx.query(&sql, &values)?.into_iter().next() else { return Ok(None) };
    let mut row = Reader::new("jobs", row);
    let job_id = JobId(row.int("id")?);
    Ok(Some(Found { job_id, repo: RepoId(row.int("repo_id")?), agent: row.text("agent")? }))
}

fn not_in(sql: &mut String, column: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if !items.is_empty() {
        sql.extend([" AND ", column, " NOT IN (", &items.join(", "), ")"]);
    }
}

fn take(
    tx: &mut dyn Tx,
    now: Timestamp,
    request: &ClaimRequest,
    job_id: JobId,
    way: Option<(i64, Route)>,
) -> Result<Claim> {
    let (channel, route) = way.unzip();
    let lease_from = tx.lease_clock(now)?;
    // Whatever the row held of an earlier owner is overwritten; the process comes with its stamp.
    let taken = tx.execute(
        concat!(
            "UPDATE jobs SET status = 'running', run_epoch = run_epoch + 1, run_id = $2, \
             worker_id = $3, started_at = $4, lease_until = $5, pid = NULL, pid_start = NULL, \
             boot_id = NULL, queued_reason = NULL, channel_id = $6, ",
            no_hold!(),
            " WHERE id = $1 AND status = 'queued'"
        ),
        params![
            job_id,
            &request.run_id,
            &request.worker_id,
            now,
            lease_end(lease_from, request.lease),
            channel,
        ],
    )?;
    if taken == 0 {
        return Err(StoreError::Internal(format!("job {job_id} left the queue under a lock")));
    }
    let (job, task) = jobs::with_task(tx, job_id)?;
    let attempt = attempt(tx, &job)?;
    tx.execute("UPDATE jobs SET attempts = $2 WHERE id = $1", params![job_id, attempt])?;
    tx.execute(
        "INSERT INTO runs (run_id, job_id, task_id, stage, agent, attempt, run_epoch, worker_id, \
         started_at, channel) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            &request.run_id,
            job_id,
            job.task_id,
            &job.stage,
            &job.agent,
            attempt,
            job.run_epoch,
            &request.worker_id,
            now,
            Channel::of_job(&job.repo, &job.stage, &job.agent).to_string(),
        ],
    )?;
    events::append(tx, now, &started(&job, request, attempt))?;
    Ok(Claim { job, task, attempt, route })
}

fn attempt(tx: &mut dyn Tx, job: &Job) -> Result<u32> {
    let rows = tx.query(
        "SELECT count(*) FROM runs WHERE task_id = $1 AND stage = $2 AND agent = $3 \
         AND outcome_kind = 'suite_ran'",
        params![job.task_id, &job.stage, &job.agent],
    )?;
    Ok(u32::try_from(crate::rows::count(&rows)).unwrap_or(u32::MAX).saturating_add(1))
}

fn started(job: &Job, request: &ClaimRequest, attempt: u32) -> NewEvent {
    NewEvent {
        kind: EventKind::RunStarted,
        task: Some(job.key.clone()),
        repo: Some(job.repo.clone()),
        run_id: Some(request.run_id.clone()),
        message: format!("{} begins {}, attempt {attempt}", job.agent, job.stage),
        data: json!({
            "stage": job.stage, "agent": job.agent, "attempt": attempt,
            "worker": request.worker_id, "run_epoch": job.run_epoch,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{ORDER, SEARCH};
    use crate::engine::migrate::MIGRATIONS;
    use crate::engine::sqlite::migrate::migrate;

    /// The search must walk tasks inside by their index and find each one's job by its own:
    /// anything else grows with the queue.
    #[test]
    fn the_plan_looks_only_inside_the_gate() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        migrate(&connection, None, MIGRATIONS).unwrap();
        let sql = format!("EXPLAIN QUERY PLAN {SEARCH}{ORDER}");
        let mut statement = connection.prepare(&sql).unwrap();
        let lines = statement.query_map([0_i64], |row| row.get::<_, String>(3)).unwrap();
        let plan: Vec<String> = lines.map(Result::unwrap).collect();
        let inside = "SCAN t USING INDEX tasks_claimable";
        let job = "SEARCH j USING INDEX one_active_job (task_id=?)";
        assert_eq!(plan, [inside, job]);
    }
}
