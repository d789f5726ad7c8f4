//! `[reaper]`: the search for runs that are gone (S3).

use std::time::Duration;

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;

/// How the search for runs that are gone works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reaper {
    /// The time between two ticks.
    pub interval: Duration,
    /// How long a claim holds without a sign of life from its worker.
    pub lease: Duration,
    /// Whether queued jobs with traces of an owner are swept.
    pub sanitize_enabled: bool,
}

static INTERVAL: Key = Key {
    section: "reaper",
    name: "interval",
    env: "ORCH_REAPER_INTERVAL",
    kind: Kind::Duration { min_ms: 50, max_ms: 3_600_000, or_off: false },
    default: "5s",
    doc: "Time between two looks for runs that are gone",
};
static LEASE: Key = Key {
    section: "reaper",
    name: "lease",
    env: "ORCH_REAPER_LEASE",
    kind: Kind::Duration { min_ms: 1_000, max_ms: 3_600_000, or_off: false },
    default: "45s",
    doc: "How long a claim holds without a sign of life from its worker; then another may take the job",
};
static SANITIZE_ENABLED: Key = Key {
    section: "reaper",
    name: "sanitize_enabled",
    env: "ORCH_IMPOSSIBLE_QUEUED_SANITIZE_ENABLED",
    kind: Kind::Flag,
    default: "true",
    doc: "Kill-switch of the sweep that cleans queued jobs with traces of an owner",
};

/// `[reaper]`.
pub(super) static SECTION: Section = Section {
    name: "reaper",
    instance: None,
    scope: Scope::Service,
    doc: "The search for runs that are gone",
    keys: &[&INTERVAL, &LEASE, &SANITIZE_ENABLED],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Reaper {
    Reaper {
        interval: reader.duration(&INTERVAL),
        lease: reader.duration(&LEASE),
        sanitize_enabled: reader.flag(&SANITIZE_ENABLED),
    }
}
