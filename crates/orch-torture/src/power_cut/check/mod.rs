//! What is looked at after the cut: the database opens, is sound and lawful, holds everything
//! that was acknowledged and nothing half, and goes on.

mod acked;
mod found;
mod goes_on;
#[cfg(test)]
mod tests;
mod whole;

use std::fmt;
use std::path::Path;

use orch_core::audit::audit;
use orch_store::Store;
use serde::Serialize;

use super::ack::Ack;
use super::workload::OPTIONS;
use found::Found;

/// What sort of harm was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Harm {
    /// Something acknowledged is not there.
    Lost,
    /// A part of an operation is there without the rest.
    HalfApplied,
    /// The independent judge finds a state that must never be.
    Unlawful,
    /// The database does not open, or its pages, indexes, constraints or rows are broken.
    Damaged,
    /// It opens, and does not go on.
    Stuck,
}

/// One harm, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    /// The sort.
    pub harm: Harm,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.harm, self.what)
    }
}

/// Looks at the database in that file, of which all of this was acknowledged.
pub(super) fn look(file: &Path, acks: &[&Ack]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Err(error) = look_within(file, acks, &mut faults) {
        faults.push(Fault { harm: Harm::Damaged, what: format!("{error:#}") });
        // What can't be read is as good as gone.
        let gone = |ack: &&Ack| Fault { harm: Harm::Lost, what: format!("{ack:?}") };
        if !faults.iter().any(|fault| fault.harm == Harm::Lost) {
            faults.extend(acks.iter().map(gone));
        }
    }
    faults
}

fn look_within(file: &Path, acks: &[&Ack], faults: &mut Vec<Fault>) -> anyhow::Result<()> {
    let store = Store::open(file, OPTIONS)?;
    let mut add = |harm, found: Vec<String>| {
        faults.extend(found.into_iter().map(|what| Fault { harm, what }));
    };
    add(Harm::Damaged, store.integrity()?);
    let snapshot = store.snapshot()?;
    let laws = audit(&snapshot.clone().into_state(store.gate_policy()));
    add(
        Harm::Unlawful,
        laws.iter().map(|found| format!("{}: {}", found.law, found.what)).collect(),
    );
    let found = Found::read(&store, snapshot)?;
    add(Harm::Lost, acks.iter().filter_map(|ack| acked::missing(&found, ack)).collect());
    add(Harm::HalfApplied, whole::halves(&found));
    let stuck = goes_on::try_it(&store, &found, acks.iter().rev().copied());
    add(Harm::Stuck, stuck.err().map(|error| format!("{error:#}")).into_iter().collect());
    Ok(())
}
