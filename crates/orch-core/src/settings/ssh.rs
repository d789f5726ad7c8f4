//! `[ssh]`: how other machines are reached.

use std::time::Duration;

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;

/// How other machines are reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssh {
    /// ssh's own configuration file; `None` means the user's and the system's.
    pub config: Option<String>,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// How often a silent connection is asked whether it lives; three times in vain is its end.
    pub keep_alive: Duration,
    /// How long a lost link is tried to be picked up before the job goes back to the queue.
    pub reattach: Duration,
}

static CONFIG: Key = Key {
    section: "ssh",
    name: "config",
    env: "ORCH_SSH_CONFIG",
    kind: Kind::Text { form: "an absolute path", rule: rules::absolute },
    default: "",
    doc: "ssh's configuration file (ssh -F); unset means the user's and the system's",
};
static CONNECT_TIMEOUT: Key = Key {
    section: "ssh",
    name: "connect_timeout",
    env: "ORCH_SSH_CONNECT_TIMEOUT",
    kind: Kind::Duration { min_ms: 1000, max_ms: 300_000, or_off: false },
    default: "10s",
    doc: "How long a connection may take to be made",
};
static KEEP_ALIVE: Key = Key {
    section: "ssh",
    name: "keep_alive",
    env: "ORCH_SSH_KEEP_ALIVE",
    kind: Kind::Duration { min_ms: 1000, max_ms: 300_000, or_off: false },
    default: "15s",
    doc: "How often a silent connection is asked whether it lives; three times in vain end it",
};
static REATTACH: Key = Key {
    section: "ssh",
    name: "reattach",
    env: "ORCH_SSH_REATTACH",
    kind: Kind::Duration { min_ms: 1000, max_ms: 3_600_000, or_off: true },
    default: "2m",
    doc: "How long a lost link is tried to be picked up before the job goes back to the queue",
};

/// `[ssh]`.
pub(super) static SECTION: Section = Section {
    name: "ssh",
    instance: None,
    scope: Scope::Service,
    doc: "How other machines are reached",
    keys: &[&CONFIG, &CONNECT_TIMEOUT, &KEEP_ALIVE, &REATTACH],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Ssh {
    Ssh {
        config: reader.text(&CONFIG),
        connect_timeout: reader.duration(&CONNECT_TIMEOUT),
        keep_alive: reader.duration(&KEEP_ALIVE),
        reattach: reader.duration(&REATTACH),
    }
}
