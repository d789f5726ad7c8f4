//! `[breaker]`: when a fault is a shared one, and how its channel is looked at until it works again.

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use crate::breaker::Rule;

static ENABLED: Key = Key {
    section: "breaker",
    name: "enabled",
    env: "ORCH_BREAKER_ENABLED",
    kind: Kind::Flag,
    default: "true",
    doc: "Kill-switch: off, a shared fault burns each task's own budget",
};
static TASKS: Key = Key {
    section: "breaker",
    name: "tasks",
    env: "ORCH_BREAKER_TASKS",
    kind: Kind::Count { min: 1, max: 1000 },
    default: "2",
    doc: "Tasks that meet the same fault within the window before its channel is paused for all",
};
static TIMES: Key = Key {
    section: "breaker",
    name: "times",
    env: "ORCH_BREAKER_TIMES",
    kind: Kind::Count { min: 1, max: 1000 },
    default: "3",
    doc: "Or how often the same fault is met within the window, by whichever task",
};
static WINDOW: Key = Key {
    section: "breaker",
    name: "window",
    env: "ORCH_BREAKER_WINDOW",
    kind: Kind::Duration { min_ms: 1_000, max_ms: 86_400_000, or_off: false },
    default: "30m",
    doc: "How long a fault counts",
};
static PROBE: Key = Key {
    section: "breaker",
    name: "probe",
    env: "ORCH_BREAKER_PROBE",
    kind: Kind::Duration { min_ms: 50, max_ms: 86_400_000, or_off: false },
    default: "60s",
    doc: "From one probe of a paused channel to the next",
};

/// `[breaker]`.
pub(super) static SECTION: Section = Section {
    name: "breaker",
    instance: None,
    scope: Scope::Service,
    doc: "One pause for a fault that several tasks share, in place of each one's budget",
    keys: &[&ENABLED, &TASKS, &TIMES, &WINDOW, &PROBE],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Rule {
    Rule {
        enabled: reader.flag(&ENABLED),
        tasks: reader.count(&TASKS),
        times: reader.count(&TIMES),
        window: reader.duration(&WINDOW),
        probe_every: reader.duration(&PROBE),
    }
}
