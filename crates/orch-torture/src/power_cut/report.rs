//! What is said at the end: a table for people or one object for machines.

use serde::Serialize;

use super::check::Harm;
use super::history::{Event, History};
use super::replay::Tally;

/// The figures.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// The seed of load and images.
    pub seed: u64,
    /// True where the disk was made to lie about flushes: the control.
    pub ignore_fsync: bool,
    /// Writes and resizes of the database's files in the recording.
    pub writes: usize,
    /// Flushes in it, of files and of the folder.
    pub flushes: usize,
    /// Operations that were acknowledged in it.
    pub acknowledged: usize,
    /// Moments at which the power was cut.
    pub cuts: usize,
    /// Disks that were looked at.
    pub images: u64,
    /// Writes in the cache at a cut that were there whole, summed over the images.
    pub kept_writes: u64,
    /// Those that were there in part.
    pub torn_writes: u64,
    /// Those that were gone.
    pub dropped_writes: u64,
    /// Acknowledged operations looked for, summed over the images.
    pub checked: u64,
    /// Those that were not there.
    pub lost: u64,
    /// Operations of which a part was there.
    pub half_applied: u64,
    /// Violations that the independent judge found.
    pub unlawful: u64,
    /// Databases that did not open, and broken pages, indexes and rows.
    pub damaged: u64,
    /// Databases that opened and did not go on.
    pub stuck: u64,
    /// Images with any fault.
    pub broken_images: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
}

impl Report {
    pub(super) fn new(history: &History, cuts: usize, tally: &Tally) -> Self {
        let count = |what: fn(&Event) -> bool| history.events.iter().filter(|e| what(e)).count();
        Self {
            seed: 0,
            ignore_fsync: false,
            writes: count(|event| matches!(event, Event::Write { .. } | Event::Resize { .. })),
            flushes: count(|event| matches!(event, Event::Sync { .. } | Event::SyncNames { .. })),
            acknowledged: history.acks.len(),
            cuts,
            images: tally.images,
            kept_writes: tally.kept_writes,
            torn_writes: tally.torn_writes,
            dropped_writes: tally.dropped_writes,
            checked: tally.checked,
            lost: tally.count(Harm::Lost),
            half_applied: tally.count(Harm::HalfApplied),
            unlawful: tally.count(Harm::Unlawful),
            damaged: tally.count(Harm::Damaged),
            stuck: tally.count(Harm::Stuck),
            broken_images: tally.broken.len(),
            seconds: 0.0,
        }
    }

    /// The table.
    pub(super) fn table(&self) -> String {
        let rows = [
            ("recorded writes", self.writes.to_string()),
            ("recorded flushes", self.flushes.to_string()),
            ("acknowledged operations", self.acknowledged.to_string()),
            ("cuts", self.cuts.to_string()),
            ("images", self.images.to_string()),
            ("cached writes kept", self.kept_writes.to_string()),
            ("cached writes torn", self.torn_writes.to_string()),
            ("cached writes dropped", self.dropped_writes.to_string()),
            ("acknowledged, looked for", self.checked.to_string()),
            ("lost", self.lost.to_string()),
            ("half applied", self.half_applied.to_string()),
            ("unlawful", self.unlawful.to_string()),
            ("damaged", self.damaged.to_string()),
            ("stuck", self.stuck.to_string()),
            ("images with faults", self.broken_images.to_string()),
            ("seconds", format!("{:.1}", self.seconds)),
        ];
        rows.iter()
            .fold(String::new(), |text, (name, value)| format!("{text}{name:<26}{value:>12}\n"))
    }
}
