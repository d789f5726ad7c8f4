//! Looks at what is there after all restarts, and compares it with what was answered.

use std::collections::BTreeSet;

use orch_core::ids::EventId;
use orch_store::{EventFilter, MAX_EVENTS, Store};

use super::OPTIONS;
use super::ledger::{Ledger, lock};

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub tasks: usize,
    pub events: u64,
    pub lost: usize,
    pub unknown: usize,
    pub events_missed: u64,
    pub failures: Vec<String>,
}

/// Judges; every failure is a line.
pub fn judge(store: &Store, ledger: &Ledger) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::default();
    let snapshot = store.snapshot()?;
    let there: BTreeSet<String> = snapshot.tasks.iter().map(|task| task.key.to_string()).collect();
    let told = lock(&ledger.tasks).clone();
    verdict.tasks = told.len();
    verdict.lost = told.difference(&there).count();
    verdict.unknown = there.difference(&told).count();
    verdict.events = all_events(store)?;
    for (read, wrong) in lock(&ledger.read).iter() {
        verdict.events_missed += verdict.events.abs_diff(*read) + wrong;
    }
    let mut failures = Vec::new();
    failures.extend(
        told.difference(&there).map(|key| format!("{key} was acknowledged and is not there")),
    );
    failures
        .extend(there.difference(&told).map(|key| format!("{key} is there and nobody was told")));
    failures.extend(snapshot.damaged.iter().map(ToString::to_string));
    let broken = orch_core::audit::audit(&snapshot.into_state(OPTIONS.gate));
    failures.extend(broken.iter().map(|violation| format!("{violation:?}")));
    failures.extend(store.integrity()?);
    let counted = [
        (&ledger.double_owned, "jobs were owned twice"),
        (&ledger.stale_accepted, "writes of runs that were over were accepted"),
    ];
    for (count, what) in counted {
        let count = count.load(std::sync::atomic::Ordering::Acquire);
        if count > 0 {
            failures.push(format!("{count} {what}"));
        }
    }
    if verdict.events_missed > 0 {
        failures.push(format!("{} events were missed or read twice", verdict.events_missed));
    }
    verdict.failures = failures;
    Ok(verdict)
}

fn all_events(store: &Store) -> anyhow::Result<u64> {
    let (mut after, mut count) = (EventId(0), 0);
    loop {
        let events = store.events(after, &EventFilter::default(), MAX_EVENTS)?;
        let Some(last) = events.last() else { return Ok(count) };
        after = last.id;
        count += events.len() as u64;
    }
}
