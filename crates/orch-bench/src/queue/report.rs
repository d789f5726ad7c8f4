//! What was measured, as a table and as JSON, and the goals with what became of them.

use std::fmt;

use serde::Serialize;

use super::bed::Engine;
use super::latency::Latency;
use super::recovery::Recovery;
use super::spawn::Spawn;
use super::throughput::Rate;
use crate::spread::{Spread, ms};

/// Everything that one run has measured.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The command that does the same again.
    pub command: String,
    /// How long the disk takes to keep a page, before all else.
    pub fsync: Spread,
    /// The same after all else: disks and neighbours change.
    pub fsync_after: Spread,
    pub throughput: Vec<Rate>,
    pub latency: Vec<Latency>,
    pub recovery: Option<Recovery>,
    pub spawn: Option<Spawn>,
    pub goals: Vec<Goal>,
}

/// What is wanted, and what was found.
#[derive(Debug, Serialize)]
pub struct Goal {
    pub what: String,
    pub found: f64,
    pub limit: f64,
    pub met: bool,
}

impl Goal {
    fn at_least(what: String, found: f64, limit: f64) -> Self {
        Self { what, found, limit, met: found >= limit }
    }

    fn at_most(what: String, found: f64, limit: f64) -> Self {
        Self { what, found, limit, met: found <= limit }
    }
}

/// The goals of whatever was measured.
pub fn goals(
    throughput: &[Rate],
    latency: &[Latency],
    recovery: Option<&Recovery>,
    spawn: Option<&Spawn>,
) -> Vec<Goal> {
    let mut goals = Vec::new();
    for rate in throughput {
        let limit = match rate.engine {
            Engine::Sqlite => 0.7,
            Engine::Postgres => 0.8,
        };
        let name = format!("{}, {} claimers: share of raw", rate.engine.name(), rate.claimers);
        goals.push(Goal::at_least(name, rate.share, limit));
    }
    for line in latency.iter().filter(|line| line.compared) {
        let name = |what| format!("{}, {}: p99 of {what}", line.engine.name(), line.scene);
        goals.push(Goal::at_most(name("a claim, ratio"), line.claim_p99_ratio, 1.5));
        if let Some(ratio) = line.empty_p99_ratio {
            goals.push(Goal::at_most(name("an empty claim, ratio"), ratio, 1.5));
        }
    }
    if let Some(recovery) = recovery {
        let seconds = recovery.recovered_us as f64 / 1e6;
        goals.push(Goal::at_most("recovery, seconds".to_owned(), seconds, 1.0));
    }
    if let Some(spawn) = spawn {
        let millis = spawn.spawned.p50_us as f64 / 1e3;
        goals.push(Goal::at_most("enqueue to spawn, p50 in ms".to_owned(), millis, 5.0));
    }
    goals
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "fsync of a page: {}; afterwards {}", self.fsync, self.fsync_after)?;
        if !self.throughput.is_empty() {
            writeln!(f, "\nsubmit, claim, complete: jobs per second")?;
            writeln!(
                f,
                "{:<11} {:>8} {:>8} {:>8} {:>8} {:>6} {:>9} {:>8} {:>8}",
                "", "claimers", "store", "grouped", "raw", "share", "raw alone", "CPU µs", "raw µs"
            )?;
        }
        for rate in &self.throughput {
            let alone = rate.raw_alone_per_s.map_or("-".to_owned(), |rate| format!("{rate:.0}"));
            writeln!(
                f,
                "{:<11} {:>8} {:>8.0} {:>8.1} {:>8.0} {:>5.0}% {:>9} {:>8.0} {:>8.0}",
                rate.engine.name(),
                rate.claimers,
                rate.jobs_per_s,
                rate.group,
                rate.raw_per_s,
                rate.share * 100.0,
                alone,
                rate.cpu_us,
                rate.raw_cpu_us
            )?;
        }
        if !self.latency.is_empty() {
            writeln!(f, "\na claim, ms")?;
            writeln!(
                f,
                "{:<11} {:<36} {:>6} {:>6} {:>6}  {:>6} {:>6} {:>6}",
                "", "", "p50", "p99", "ratio", "empty", "p99", "ratio"
            )?;
        }
        for line in &self.latency {
            let [empty, p99, ratio] = match (&line.empty, line.empty_p99_ratio) {
                (Some(empty), Some(ratio)) => {
                    [ms(empty.p50_us), ms(empty.p99_us), format!("{ratio:.2}")]
                }
                _ => ["-"; 3].map(ToOwned::to_owned),
            };
            writeln!(
                f,
                "{:<11} {:<36} {:>6} {:>6} {:>6.2}  {empty:>6} {p99:>6} {ratio:>6}",
                line.engine.name(),
                line.scene,
                ms(line.claim.p50_us),
                ms(line.claim.p99_us),
                line.claim_p99_ratio
            )?;
        }
        if let Some(recovery) = &self.recovery {
            let Recovery { queued, running, recovered_us, ready_us } = recovery;
            writeln!(
                f,
                "\nstart on {queued} queued and {running} dead: recovered after {} ms, answers \
                 after {} ms",
                ms(*recovered_us),
                ms(*ready_us)
            )?;
        }
        if let Some(spawn) = &self.spawn {
            writeln!(f, "\nfrom a submission to a process, SQLite")?;
            writeln!(f, "submitted, durable       {}", spawn.enqueued)?;
            writeln!(f, "to the claim             {}", spawn.claimed)?;
            writeln!(f, "to the spawn, stamped    {}", spawn.spawned)?;
            writeln!(f, "the whole service, git   {}", spawn.service)?;
        }
        writeln!(f)?;
        for goal in &self.goals {
            let word = if goal.met { "met   " } else { "MISSED" };
            writeln!(f, "{word} {:<66} {:>6.2} of {}", goal.what, goal.found, goal.limit)?;
        }
        writeln!(f, "again: {}", self.command)
    }
}
