//! The figures: a table for people, JSON for everything else.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::judge::Verdict;
use super::programme::Told;

/// What the torture came to.
#[derive(Debug, Serialize)]
pub struct Figures {
    /// Where all chance came from.
    pub seed: u64,
    /// The command that does the same again.
    pub command: String,
    /// How long everything took, in seconds.
    pub seconds: u64,
    /// How long the faults took, in seconds.
    pub faults_seconds: u64,
    /// Faults that struck.
    pub faults: BTreeMap<String, u32>,
    /// Faults that found nothing to strike.
    pub missed: BTreeMap<String, u32>,
    /// What this machine did not allow.
    pub left_out: Vec<String>,
    /// Services started, and answering.
    pub services: usize,
    /// Changes between this namespace and fresh ones.
    pub world_changes: u32,
    /// Pids of running jobs that belonged to somebody else in the next namespace.
    pub reused_pids: u32,
    /// Starts that failed while the disk was full or the database locked, and were repeated.
    pub refused_starts: u32,
    /// Services that ended by themselves during such a fault.
    pub ended_disturbed: u32,
    /// Tasks submitted.
    pub tasks: usize,
    /// Submissions repeated under one idempotency key.
    pub submitted_again: u32,
    /// Held tasks that the operator set going again, by stage and reason.
    pub retried: BTreeMap<String, u32>,
    /// What the judge found.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Tasks that nothing moved any more.
    pub wedges: usize,
    /// From a service's start to its first answer, in milliseconds, where no disk was full and no
    /// database locked.
    pub ready_ms: Spread,
    /// From such a start to the first run that it claims or takes up, in milliseconds.
    pub first_run_ms: Spread,
    /// The same as `ready_ms`, in the middle of such a fault.
    pub ready_in_fault_ms: Spread,
    /// The same as `first_run_ms`, in the middle of such a fault.
    pub first_run_in_fault_ms: Spread,
    /// Everything that must not be; empty is a pass.
    pub failures: Vec<String>,
}

/// A distribution in three figures.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct Spread {
    /// Half are below.
    pub p50: u64,
    /// 99 of 100 are below.
    pub p99: u64,
    /// The slowest.
    pub slowest: u64,
}

impl Spread {
    fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let at = |share: usize| {
            let place = (values.len() * share / 100).min(values.len().saturating_sub(1));
            values.get(place).copied().unwrap_or_default()
        };
        Self { p50: at(50), p99: at(99), slowest: at(100) }
    }
}

fn those(values: &[(u64, bool)], calm: bool) -> Vec<u64> {
    values.iter().filter(|(_, was_calm)| *was_calm == calm).map(|(value, _)| *value).collect()
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {} ms, p99 {} ms, slowest {} ms", self.p50, self.p99, self.slowest)
    }
}

impl Figures {
    /// Puts together what was done and what was found.
    pub fn new(
        seed: u64,
        command: String,
        took: Duration,
        told: &Told,
        mut verdict: Verdict,
        left_out: Vec<String>,
    ) -> Self {
        let mut failures = told.failures.clone();
        let held = told.operator.wrongly_held.iter();
        failures.extend(
            held.map(|(key, why)| format!("{key} is held, and not for infrastructure: {why}")),
        );
        failures.extend(told.wedged.iter().map(|task| format!("stuck: {task}")));
        failures.append(&mut verdict.failures);
        let ready: Vec<(u64, bool)> =
            told.starts.answered.iter().map(|start| (start.ready_ms, start.calm)).collect();
        Self {
            seed,
            command,
            seconds: took.as_secs(),
            faults_seconds: told.faults_took.as_secs(),
            faults: told.faults.clone(),
            missed: told.missed.clone(),
            left_out,
            services: told.starts.answered.len(),
            world_changes: told.world_changes,
            reused_pids: told.starts.reused_pids,
            refused_starts: told.starts.refused,
            ended_disturbed: told.ended_disturbed,
            tasks: told.operator.acknowledged.len(),
            submitted_again: told.operator.submitted_again,
            retried: told.operator.retried.clone(),
            wedges: told.wedged.len(),
            ready_ms: Spread::of(those(&ready, true)),
            first_run_ms: Spread::of(those(&verdict.first_run_ms, true)),
            ready_in_fault_ms: Spread::of(those(&ready, false)),
            first_run_in_fault_ms: Spread::of(those(&verdict.first_run_ms, false)),
            verdict,
            failures,
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = &self.verdict;
        for (name, count) in &self.faults {
            writeln!(f, "{name:<26} {count:>6}")?;
        }
        for (name, count) in &self.missed {
            writeln!(f, "{name:<26} {count:>6}  found nothing to strike")?;
        }
        for what in &self.left_out {
            writeln!(f, "left out: {what}")?;
        }
        let rows: [(&str, u64); 22] = [
            ("services started", self.services as u64),
            ("changes of namespace", self.world_changes.into()),
            ("pids reused by others", self.reused_pids.into()),
            ("starts refused in faults", self.refused_starts.into()),
            ("services ended in faults", self.ended_disturbed.into()),
            ("tasks", self.tasks as u64),
            ("submissions repeated", self.submitted_again.into()),
            ("runs", verdict.runs.into()),
            ("runs adopted", verdict.adopted.into()),
            ("runs restarted", verdict.restarted.into()),
            ("held and set going again", self.retried.values().map(|n| u64::from(*n)).sum()),
            ("lost", verdict.lost.into()),
            ("run twice at once", verdict.double_runs.into()),
            ("double-owned", verdict.double_owned.into()),
            ("stale writes accepted", verdict.stale_writes.into()),
            ("not landed exactly once", verdict.not_landed_once.into()),
            ("wrong bounces", verdict.wrong_bounces.into()),
            ("not deployed", verdict.not_deployed.into()),
            ("worktrees left", verdict.worktrees_left.into()),
            ("processes left", verdict.processes_left.into()),
            ("invariants broken", verdict.violations.into()),
            ("wedges", self.wedges as u64),
        ];
        for (name, count) in rows {
            writeln!(f, "{name:<26} {count:>6}")?;
        }
        for (name, spread) in [
            ("start to first answer", self.ready_ms),
            ("start to first run", self.first_run_ms),
            ("the same, in such faults", self.ready_in_fault_ms),
            ("", self.first_run_in_fault_ms),
        ] {
            writeln!(f, "{name:<26} {spread}")?;
        }
        for (reason, count) in &self.retried {
            writeln!(f, "set going again {count} times: {reason}")?;
        }
        writeln!(f, "{} s, of them {} s of faults", self.seconds, self.faults_seconds)?;
        for failure in &self.failures {
            writeln!(f, "FAILED: {failure}")?;
        }
        writeln!(f, "{}", if self.failures.is_empty() { "passed" } else { "failed" })?;
        writeln!(f, "again: {}", self.command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_of_the_values_there_are() {
        let spread = Spread::of((1..=100).rev().collect());
        assert_eq!((spread.p50, spread.p99, spread.slowest), (51, 100, 100));
        let one = Spread::of(vec![7]);
        assert_eq!((one.p50, one.slowest), (7, 7));
        assert_eq!(Spread::of(Vec::new()).slowest, 0);
    }
}
