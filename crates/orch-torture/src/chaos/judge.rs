//! The judge: looks at the ledger, the repositories, the process table and the database, and asks
//! the service under torture nothing.

use std::collections::BTreeMap;

use orch_testkit::{Repository, git};
use rusqlite::Connection;
use serde::Serialize;

use super::bed::Bed;
use super::load;
use super::programme::Told;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Verdict {
    /// Tasks done.
    pub done: u32,
    /// Runs in the records.
    pub runs: u32,
    /// Steps that began, and of them those that came to their own end.
    pub steps_begun: u32,
    /// Steps that came to their own end.
    pub steps_ended: u32,
    /// Runs that a later service took up again.
    pub adopted: u32,
    /// Runs that were taken back, and their jobs started again.
    pub restarted: u32,
    /// Acknowledged tasks that are not done or not there.
    pub lost: u32,
    /// Steps that began while another step of the same task lived.
    pub double_runs: u32,
    /// Jobs with two owners at one time, or two owners of one epoch.
    pub double_owned: u32,
    /// Ends and verdicts that were accepted from a run after its job had gone to another.
    pub stale_writes: u32,
    /// Tasks whose file is not on the default branch by exactly one commit.
    pub not_landed_once: u32,
    /// Tasks that went back more or less often than their code was wanting.
    pub wrong_bounces: u32,
    /// Tasks that were never deployed.
    pub not_deployed: u32,
    /// Worktrees left.
    pub worktrees_left: u32,
    /// Supervisors, agents and others left.
    pub processes_left: u32,
    /// Invariants that `orch db check` finds broken.
    pub violations: u32,
    /// From a service's start to the first run that it claims or takes up, in milliseconds, and
    /// whether the start was a calm one.
    #[serde(skip)]
    pub first_run_ms: Vec<(u64, bool)>,
    /// Everything that must not be, in words.
    #[serde(skip)]
    pub failures: Vec<String>,
}

/// Looks at everything that is left.
pub fn judge(bed: &Bed, told: &Told) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let database = bed.database()?;
    processes(bed, &mut verdict);
    ledger(bed, &mut verdict)?;
    records(&database, told, &mut verdict)?;
    landed(bed, told, &mut verdict);
    ownership(&database, &mut verdict)?;
    drop(database);
    check(bed, &mut verdict);
    Ok(verdict)
}

impl Verdict {
    fn fail(&mut self, what: String) -> u32 {
        self.failures.push(what);
        1
    }
}

fn processes(bed: &Bed, verdict: &mut Verdict) {
    for process in bed.processes() {
        let what = format!("left running: {} {}", process.kind.word(), process.last_argument);
        verdict.processes_left += verdict.fail(what);
    }
    let worktrees = std::fs::read_dir(bed.orch.home().join("worktrees"));
    for entry in worktrees.into_iter().flatten().flatten() {
        let what = format!("left in place: {}", entry.path().display());
        verdict.worktrees_left += verdict.fail(what);
    }
}

fn ledger(bed: &Bed, verdict: &mut Verdict) -> anyhow::Result<()> {
    for line in std::fs::read_to_string(bed.root.join("ledger"))?.lines() {
        match line.split(' ').next() {
            Some("begin") => verdict.steps_begun += 1,
            Some("end") => verdict.steps_ended += 1,
            _ => verdict.double_runs += verdict.fail(format!("run twice at once: {line}")),
        }
    }
    Ok(())
}

/// Tasks, events and runs.
fn records(database: &Connection, told: &Told, verdict: &mut Verdict) -> rusqlite::Result<()> {
    let mut query = database.prepare("SELECT key, status FROM tasks")?;
    let states: BTreeMap<String, String> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    for key in &told.operator.acknowledged {
        match states.get(key).map(String::as_str) {
            Some("done") => verdict.done += 1,
            Some(status) => verdict.lost += verdict.fail(format!("{key} is {status}")),
            None => {
                verdict.lost += verdict.fail(format!("{key} was acknowledged and is not there"));
            }
        }
    }
    if states.len() > told.operator.acknowledged.len() + 1 {
        let more = states.len() - told.operator.acknowledged.len();
        verdict.failures.push(format!("{more} tasks more than were submitted"));
    }
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, u32>(0));
    verdict.runs = count("SELECT count(*) FROM runs")?;
    verdict.adopted = count("SELECT count(*) FROM events WHERE kind = 'run.adopted'")?;
    verdict.restarted = count("SELECT count(*) FROM events WHERE kind = 'run.reaped'")?;
    let mut bounces: BTreeMap<String, u32> = BTreeMap::new();
    let mut query = database
        .prepare("SELECT task, count(*) FROM events WHERE kind = 'task.bounced' GROUP BY task")?;
    for row in query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (key, found) = row?;
        bounces.insert(key, found);
    }
    for key in states.iter().filter(|(_, status)| *status == "done").map(|(key, _)| key) {
        let (found, expected) =
            (bounces.get(key).copied().unwrap_or_default(), load::bounces_of(key));
        if found != expected {
            let what =
                format!("{key} went back {found} times, its code was wanting {expected} times");
            verdict.wrong_bounces += verdict.fail(what);
        }
    }
    verdict.first_run_ms = first_runs(database, told)?;
    Ok(())
}

/// How soon each service had its first run, claimed or taken up.
fn first_runs(database: &Connection, told: &Told) -> rusqlite::Result<Vec<(u64, bool)>> {
    let mut query = database.prepare(
        "SELECT at FROM events WHERE kind IN ('run.started', 'run.adopted') ORDER BY id",
    )?;
    let begun: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let starts = &told.starts.answered;
    let mut first = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        let at = start.at.as_millisecond();
        let end = starts.get(number + 1).map_or(i64::MAX, |next| next.at.as_millisecond());
        let found = begun.iter().find(|begun| (at..end).contains(*begun));
        first.extend(found.map(|begun| ((begun - at) as u64, start.calm)));
    }
    Ok(first)
}

/// Whether a commit of the default branch was deployed, by itself or with one that came after it: a
/// task that comes late to its deploy has nothing left to deploy.
fn deployed(repository: &Repository, commit: &str, deploys: &str) -> bool {
    let newest_first = git(&repository.origin, &["log", "--format=%H", "main"]);
    let after = newest_first.lines().take_while(|later| *later != commit);
    let mut holds_it = after.chain([commit]);
    holds_it.any(|revision| deploys.lines().any(|line| line.split(' ').nth(1) == Some(revision)))
}

/// Every task's file on the default branch, by one commit, and its deploy.
fn landed(bed: &Bed, told: &Told, verdict: &mut Verdict) {
    let deploys = std::fs::read_to_string(bed.root.join("deploys")).unwrap_or_default();
    for key in &told.operator.acknowledged {
        let Some(repository) =
            bed.repositories.iter().enumerate().find_map(|(number, repository)| {
                key.starts_with(&format!("{}-", load::prefix(number + 1))).then_some(repository)
            })
        else {
            verdict.failures.push(format!("{key} belongs to no repository"));
            continue;
        };
        let work = load::work_of(key);
        let log = ["log", "--format=%H", "--diff-filter=A", "main", "--", &work];
        let found = git(&repository.origin, &log);
        let commits: Vec<&str> = found.lines().collect();
        if commits.len() != 1 {
            let what = format!("{key} landed {} times", commits.len());
            verdict.not_landed_once += verdict.fail(what);
        } else if repository.on_main(&work).trim() != key {
            verdict.not_landed_once += verdict.fail(format!("{key} landed with other content"));
        }
        if !commits.iter().any(|commit| deployed(repository, commit, &deploys)) {
            verdict.not_deployed += verdict.fail(format!("{key} was never deployed"));
        }
    }
    for repository in &bed.repositories {
        if git(&repository.origin, &["ls-tree", "--name-only", "main"]).contains("broken") {
            verdict.failures.push("broken code is on the default branch".to_owned());
        }
    }
}

/// Each line: the law, and the statement that finds who breaks it.
const OWNERSHIP: [(&str, &str); 5] = [
    (
        "two runs own one job under one epoch",
        "SELECT a.run_id FROM runs a JOIN runs b ON a.job_id = b.job_id
         AND a.run_epoch = b.run_epoch AND a.run_id < b.run_id",
    ),
    (
        "a run began while an earlier one of its job owned it",
        "SELECT a.run_id FROM runs a JOIN runs b ON a.job_id = b.job_id
         AND b.run_epoch > a.run_epoch
         WHERE a.finished_at IS NULL OR a.started_at > b.started_at",
    ),
    (
        "an end was accepted from a run that had lost its job",
        "SELECT a.run_id FROM runs a JOIN runs b ON a.job_id = b.job_id
         AND b.run_epoch > a.run_epoch WHERE a.finished_at > b.started_at",
    ),
    (
        "a verdict was accepted from a run that had lost its job",
        "SELECT g.run_id FROM gate_results g JOIN runs a ON g.run_id = a.run_id
         JOIN runs b ON a.job_id = b.job_id AND b.run_epoch > a.run_epoch
         WHERE g.at > b.started_at",
    ),
    (
        "a run is open although its job is over",
        "SELECT r.run_id FROM runs r JOIN jobs j ON r.job_id = j.id
         WHERE r.finished_at IS NULL AND j.status <> 'running'",
    ),
];

fn ownership(database: &Connection, verdict: &mut Verdict) -> rusqlite::Result<()> {
    for (number, (law, sql)) in OWNERSHIP.iter().enumerate() {
        let mut query = database.prepare(sql)?;
        for run in query.query_map([], |row| row.get::<_, String>(0))? {
            let found = verdict.fail(format!("{law}: {}", run?));
            *(if number < 2 { &mut verdict.double_owned } else { &mut verdict.stale_writes }) +=
                found;
        }
    }
    Ok(())
}

/// The product's own judge, which shares no code with what it judges.
fn check(bed: &Bed, verdict: &mut Verdict) {
    let output = bed.orch.run(&bed.root, &["db", "check"]);
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        let broken = words.lines().count().max(1) as u32;
        verdict.violations += broken * verdict.fail(format!("orch db check: {}", words.trim()));
    }
}
