//! Channels and the routes through them: shut for a time, looked at by every claim, opened by the
//! first claim after that time.

use jiff::Timestamp;
use orch_core::channel::{ACCOUNT, Pause, Route};
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{AgentName, RepoId, TaskId};
use serde_json::json;

use super::events;
use crate::engine::{Tx, Value, params};
use crate::error::Result;
use crate::rows::{Reader, sound};

/// One way for the jobs of a repository's agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NewRoute {
    /// The agent of the jobs.
    pub agent: AgentName,
    /// Its place in the agent's chain, from 0.
    pub position: u32,
    /// The table `[agents.NAME]` that a run on this way is started with.
    pub settings: AgentName,
    /// The provider's account.
    pub account: String,
    /// Runs of the agent at once in the repository; `None` is no limit.
    pub max_running: Option<u32>,
}

/// A channel as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its row.
    pub id: i64,
    /// Its sort, such as `account`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Until when and why it is shut; `None` while it is open.
    pub pause: Option<Pause>,
    /// Runs at once over all workers; `None` is no limit.
    pub max_running: Option<u32>,
    /// Jobs that run through it.
    pub running: u64,
    /// Tasks known to wait for it.
    pub waiting: u64,
}

/// Replaces the routes of a repository.
pub(crate) fn set_routes(tx: &mut dyn Tx, repo: RepoId, routes: &[NewRoute]) -> Result<()> {
    tx.execute("DELETE FROM routes WHERE repo_id = $1", params![repo])?;
    for route in routes {
        let channel = of_name(tx, ACCOUNT, &route.account)?;
        tx.execute(
            "INSERT INTO routes (repo_id, agent, position, settings, channel_id, max_running) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            params![
                repo,
                &route.agent,
                route.position,
                &route.settings,
                channel,
                route.max_running.map(i64::from),
            ],
        )?;
    }
    // Who waits for a channel may have another one now.
    tx.execute(
        "UPDATE tasks SET parked_on = NULL WHERE repo_id = $1 AND parked_on IS NOT NULL",
        params![repo],
    )?;
    Ok(())
}

/// The channel of that name; made where there is none.
fn of_name(tx: &mut dyn Tx, kind: &str, name: &str) -> Result<i64> {
    tx.execute(
        "INSERT INTO channels (kind, name) VALUES ($1, $2) ON CONFLICT (kind, name) DO NOTHING",
        params![kind, name],
    )?;
    let rows =
        tx.query("SELECT id FROM channels WHERE kind = $1 AND name = $2", params![kind, name])?;
    Ok(i64::try_from(crate::rows::count(&rows)).unwrap_or_default())
}

/// Sets how many runs accounts may have at once; every other account has no limit.
pub(crate) fn limit_accounts(tx: &mut dyn Tx, limits: &[(String, u32)]) -> Result<()> {
    tx.execute("UPDATE channels SET max_running = NULL WHERE kind = $1", params![ACCOUNT])?;
    for (name, most) in limits {
        let channel = of_name(tx, ACCOUNT, name)?;
        let most = i64::from(*most).max(1);
        tx.execute("UPDATE channels SET max_running = $2 WHERE id = $1", params![channel, most])?;
    }
    Ok(())
}

/// Shuts a channel; one that is shut for longer stays so. Everybody who has no other is set aside
/// at once, so that no claim looks at them.
pub(crate) fn shut(
    tx: &mut dyn Tx,
    now: Timestamp,
    kind: &str,
    name: &str,
    pause: &Pause,
) -> Result<()> {
    let channel = of_name(tx, kind, name)?;
    let shut = tx.execute(
        "UPDATE channels SET paused_until = $2, reason = $3 \
         WHERE id = $1 AND (paused_until IS NULL OR paused_until < $2)",
        params![channel, pause.until, &pause.reason],
    )?;
    if shut == 0 {
        return Ok(());
    }
    let message = format!("the {kind} {name} is paused until {}: {}", pause.until, pause.reason);
    let data = json!({ "kind": kind, "name": name, "until": pause.until, "reason": pause.reason });
    events::append(tx, now, &about(EventKind::ChannelPaused, message, data))?;
    let through = tx.query(
        "SELECT DISTINCT repo_id, agent FROM routes WHERE channel_id = $1",
        params![channel],
    )?;
    let look = Look::read(tx, now)?;
    for row in through {
        let mut row = Reader::new("routes", row);
        let (repo, agent) = (RepoId(row.int("repo_id")?), row.text("agent")?);
        if let Way::Shut(channel) = look.way(tx, repo, &agent)? {
            park(tx, repo, &agent, channel)?;
        }
    }
    Ok(())
}

fn about(kind: EventKind, message: String, data: serde_json::Value) -> NewEvent {
    NewEvent { kind, task: None, repo: None, run_id: None, message, data }
}

/// The channels at the moment of a claim.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Shut ones with the moment at which they open.
    shut: Vec<(i64, i64)>,
    /// Those with as many runs as they may have.
    full: Vec<i64>,
    /// Repositories and agents with as many runs as they may have.
    pub full_agents: Vec<(RepoId, String)>,
}

/// What a job can take.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It needs no channel, or none is known.
    Free,
    /// This one.
    Open(i64, Route),
    /// All of its channels are shut; this one opens first.
    Shut(i64),
    /// One that is open has as many runs as it may have.
    Full,
}

impl Look {
    /// Reads the channels, and opens those whose time has come.
    pub fn read(tx: &mut dyn Tx, now: Timestamp) -> Result<Self> {
        let rows =
            tx.query("SELECT id, kind, name, paused_until, max_running FROM channels", &[])?;
        let mut look = Self::default();
        let mut limits = Vec::new();
        let mut opened = false;
        for row in rows {
            let mut row = Reader::new("channels", row);
            let id = row.int("id")?;
            let (kind, name) = (row.text("kind")?, row.text("name")?);
            match row.opt_int("paused_until")? {
                Some(until) if until > now.as_millisecond() => look.shut.push((id, until)),
                Some(_) => {
                    open(tx, now, id, &kind, &name)?;
                    opened = true;
                }
                None => {}
            }
            if let Some(most) = row.opt_int("max_running")? {
                limits.push((id, most));
            }
        }
        if opened {
            tx.execute("UPDATE tasks SET parked_on = NULL WHERE parked_on IS NOT NULL", &[])?;
        }
        for (id, most) in limits {
            let running = tx.query(
                "SELECT count(*) FROM jobs WHERE status = 'running' AND channel_id = $1",
                params![id],
            )?;
            if crate::rows::count(&running) >= most.unsigned_abs() {
                look.full.push(id);
            }
        }
        look.full_agents = full_agents(tx)?;
        Ok(look)
    }

    /// The condition on a job that has a channel with room, for the search of a claim; empty where
    /// no channel is full.
    pub fn room(&self) -> String {
        if self.full.is_empty() {
            return String::new();
        }
        let not = self.full.iter().chain(self.shut.iter().map(|(id, _)| id));
        let not: Vec<String> = not.map(ToString::to_string).collect();
        let own = "SELECT 1 FROM routes w WHERE w.repo_id = t.repo_id AND w.agent = j.agent";
        format!(
            " AND (NOT EXISTS ({own}) OR EXISTS ({own} AND w.channel_id NOT IN ({})))",
            not.join(", ")
        )
    }

    /// What the jobs of a repository's agent can take.
    pub fn way(&self, tx: &mut dyn Tx, repo: RepoId, agent: &str) -> Result<Way> {
        let rows = tx.query(
            "SELECT w.channel_id, w.settings, w.position, c.name FROM routes w \
             JOIN channels c ON c.id = w.channel_id \
             WHERE w.repo_id = $1 AND w.agent = $2 ORDER BY w.position",
            params![repo, agent],
        )?;
        let mut opens_first: Option<(i64, i64)> = None;
        let (mut full, mut some) = (false, false);
        for row in rows {
            some = true;
            let mut row = Reader::new("routes", row);
            let id = row.int("channel_id")?;
            if let Some((_, until)) = self.shut.iter().find(|(shut, _)| *shut == id) {
                opens_first =
                    opens_first.filter(|(_, first)| first <= until).or(Some((id, *until)));
                continue;
            }
            if self.full.contains(&id) {
                full = true;
                continue;
            }
            let settings = row.parsed("settings")?;
            let position = row.number("position")?;
            let route = Route { settings, position, account: row.text("name")? };
            return Ok(Way::Open(id, route));
        }
        Ok(match opens_first {
            _ if !some => Way::Free,
            _ if full => Way::Full,
            Some((id, _)) => Way::Shut(id),
            None => Way::Free,
        })
    }
}

/// Repositories and agents with as many runs as they may have; they are few: each has a run.
fn full_agents(tx: &mut dyn Tx) -> Result<Vec<(RepoId, String)>> {
    let rows = tx.query(
        "SELECT t.repo_id, j.agent FROM jobs j JOIN tasks t ON t.id = j.task_id \
         JOIN routes w ON w.repo_id = t.repo_id AND w.agent = j.agent AND w.position = 0 \
         WHERE j.status = 'running' AND w.max_running IS NOT NULL \
         GROUP BY t.repo_id, j.agent, w.max_running HAVING count(*) >= w.max_running",
        &[],
    )?;
    let decode = |row| {
        let mut row = Reader::new("routes", row);
        Ok((RepoId(row.int("repo_id")?), row.text("agent")?))
    };
    rows.into_iter().map(decode).collect()
}

/// True where anything limits runs through channels: then claims go one after the other.
pub(super) fn any_limit(tx: &mut dyn Tx) -> Result<bool> {
    let rows = tx.query(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM channels WHERE max_running IS NOT NULL) \
         OR EXISTS (SELECT 1 FROM routes WHERE max_running IS NOT NULL)",
        &[],
    )?;
    Ok(!rows.is_empty())
}

fn open(tx: &mut dyn Tx, now: Timestamp, id: i64, kind: &str, name: &str) -> Result<()> {
    let opened = tx.execute(
        "UPDATE channels SET paused_until = NULL, reason = NULL \
         WHERE id = $1 AND paused_until <= $2",
        params![id, now],
    )?;
    if opened > 0 {
        let message = format!("the {kind} {name} is open again");
        let data = json!({ "kind": kind, "name": name });
        events::append(tx, now, &about(EventKind::ChannelOpened, message, data))?;
    }
    Ok(())
}

/// Sets the tasks of a repository aside whose jobs wait for a shut channel. On PostgreSQL those
/// that somebody else holds at the moment are left to the next claim: the alias is what its lock
/// clause names.
pub(super) fn park(tx: &mut dyn Tx, repo: RepoId, agent: &str, channel: i64) -> Result<u64> {
    let sql = format!(
        "UPDATE tasks SET parked_on = $1 WHERE id IN (SELECT j.id FROM tasks j \
         WHERE j.repo_id = $2 AND j.gate_slot IS NOT NULL AND j.parked_on IS NULL \
         AND EXISTS (SELECT 1 FROM jobs q WHERE q.task_id = j.id AND q.finished_at IS NULL \
         AND q.status = 'queued' AND q.agent = $3){})",
        tx.dialect().claim_lock
    );
    tx.execute(&sql, params![channel, repo, agent])
}

/// Every channel, by sort and name.
pub(crate) fn channels(tx: &mut dyn Tx, now: Timestamp) -> Result<Vec<Channel>> {
    let rows = tx.query(
        "SELECT c.id, c.kind, c.name, c.paused_until, c.reason, c.max_running, \
         (SELECT count(*) FROM jobs j WHERE j.status = 'running' AND j.channel_id = c.id), \
         (SELECT count(*) FROM tasks t WHERE t.parked_on = c.id) \
         FROM channels c ORDER BY c.kind, c.name",
        &[],
    )?;
    Ok(sound(rows, |row| decode(row, now)))
}

fn decode(row: Vec<Value>, now: Timestamp) -> Result<Channel> {
    let mut row = Reader::new("channels", row);
    let (id, kind, name) = (row.int("id")?, row.text("kind")?, row.text("name")?);
    let pause = match (row.opt_time("paused_until")?, row.opt_text("reason")?) {
        (Some(until), Some(reason)) => Some(Pause { until, reason }).filter(|_| until > now),
        (None, None) => None,
        _ => return Err(row.impossible("only one of paused_until, reason is set")),
    };
    Ok(Channel {
        id,
        kind,
        name,
        pause,
        max_running: row.opt_number("max_running")?,
        running: row.number("running")?,
        waiting: row.number("waiting")?,
    })
}

/// The channels of a task's job, the best first.
pub(crate) fn of_task(tx: &mut dyn Tx, now: Timestamp, task: TaskId) -> Result<Vec<Channel>> {
    let rows = tx.query(
        "SELECT c.id, c.kind, c.name, c.paused_until, c.reason, c.max_running, \
         (SELECT count(*) FROM jobs r WHERE r.status = 'running' AND r.channel_id = c.id), 0 \
         FROM tasks t JOIN jobs j ON j.task_id = t.id AND j.finished_at IS NULL \
         JOIN routes w ON w.repo_id = t.repo_id AND w.agent = j.agent \
         JOIN channels c ON c.id = w.channel_id WHERE t.id = $1 ORDER BY w.position",
        params![task],
    )?;
    Ok(sound(rows, |row| decode(row, now)))
}

/// The next moment at which a channel opens; `None` where all are open.
pub(crate) fn next_opening(tx: &mut dyn Tx) -> Result<Option<Timestamp>> {
    let rows = tx.query("SELECT min(paused_until) FROM channels", &[])?;
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    Reader::new("channels", row).opt_time("paused_until")
}
