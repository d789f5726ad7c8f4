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
    let events = all_events(store)?;
    verdict.events = events.len() as u64;
    let mut failures = Vec::new();
    for (number, read) in lock(&ledger.read).iter().enumerate() {
        let once: BTreeSet<i64> = read.iter().copied().collect();
        let missed: Vec<i64> = events.difference(&once).copied().collect();
        let twice = read.len() - once.len();
        verdict.events_missed += (missed.len() + twice) as u64;
        if !missed.is_empty() || twice > 0 {
            failures.push(format!(
                "follower {number} missed {missed:?} of events up to {:?}, and read {twice} twice",
                events.last()
            ));
        }
    }
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
    verdict.failures = failures;
    Ok(verdict)
}

fn all_events(store: &Store) -> anyhow::Result<BTreeSet<i64>> {
    let (mut after, mut all) = (EventId(0), BTreeSet::new());
    loop {
        let events = store.events(after, &EventFilter::default(), MAX_EVENTS)?;
        let Some(last) = events.last() else { return Ok(all) };
        after = last.id;
        all.extend(events.iter().map(|event| event.id.0));
    }
}
