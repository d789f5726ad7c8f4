//! `[launcher]`: versions of the program side by side, and the switch between them (S9).

use std::time::Duration;

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;

/// Versions of the program side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launcher {
    /// The folder that they are in; `None` means `install` in the state directory.
    pub prefix: Option<String>,
    /// From a new version's start to healthy, its migrations included.
    pub healthy_within: Duration,
    /// From the request to end to the kill.
    pub stop_within: Duration,
    /// Versions that are kept.
    pub keep_versions: u32,
}

static PREFIX: Key = Key {
    section: "launcher",
    name: "prefix",
    env: "ORCH_LAUNCHER_PREFIX",
    kind: Kind::Text { form: "a path", rule: rules::path },
    default: "",
    doc: "Folder of the installed versions; unset means install in the state directory",
};
static HEALTHY_WITHIN: Key = Key {
    section: "launcher",
    name: "healthy_within",
    env: "ORCH_LAUNCHER_HEALTHY_WITHIN",
    kind: Kind::Duration { min_ms: 1_000, max_ms: 86_400_000, or_off: false },
    default: "2m",
    doc: "How long a new version has to become healthy, migrations included, before the launcher goes back",
};
static STOP_WITHIN: Key = Key {
    section: "launcher",
    name: "stop_within",
    env: "ORCH_LAUNCHER_STOP_WITHIN",
    kind: Kind::Duration { min_ms: 100, max_ms: 3_600_000, or_off: false },
    default: "15s",
    doc: "How long the service has to end when asked before the launcher kills it",
};
static KEEP_VERSIONS: Key = Key {
    section: "launcher",
    name: "keep_versions",
    env: "ORCH_LAUNCHER_KEEP_VERSIONS",
    kind: Kind::Count { min: 2, max: 1_000 },
    default: "5",
    doc: "Versions that are kept, the newest; the current one, the one before and those in use stay",
};

/// `[launcher]`.
pub(super) static SECTION: Section = Section {
    name: "launcher",
    instance: None,
    scope: Scope::Service,
    doc: "Versions of the program side by side, and the switch between them",
    keys: &[&PREFIX, &HEALTHY_WITHIN, &STOP_WITHIN, &KEEP_VERSIONS],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Launcher {
    Launcher {
        prefix: reader.text(&PREFIX),
        healthy_within: reader.duration(&HEALTHY_WITHIN),
        stop_within: reader.duration(&STOP_WITHIN),
        keep_versions: reader.count(&KEEP_VERSIONS),
    }
}
