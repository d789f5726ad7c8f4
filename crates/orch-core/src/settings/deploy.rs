//! `[deploy]`: what happens after the merge (S9).

use std::time::Duration;

use super::command::CommandLine;
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;

/// What happens after the merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deploy {
    /// The deploy; `None` where the repository only merges.
    pub command: Option<CommandLine>,
    /// The way back after a bad deploy; `None` where there is none.
    pub rollback_command: Option<CommandLine>,
    /// What has to answer 200 afterwards; `None` for no check.
    pub health_url: Option<String>,
    /// What has to name the merged revision afterwards; `None` for no check.
    pub revision_url: Option<String>,
    /// How long the deployed revision is watched; zero is off.
    pub monitor: Duration,
    /// How long the deploy may take.
    pub timeout: Duration,
}

static COMMAND: Key = Key {
    section: "deploy",
    name: "command",
    env: "ORCH_DEPLOY_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "The deploy; unset means that the repository only merges",
};
static ROLLBACK_COMMAND: Key = Key {
    section: "deploy",
    name: "rollback_command",
    env: "ORCH_DEPLOY_ROLLBACK_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "The way back after a bad deploy",
};
static HEALTH_URL: Key = Key {
    section: "deploy",
    name: "health_url",
    env: "ORCH_DEPLOY_HEALTH_URL",
    kind: Kind::URL,
    default: "",
    doc: "What has to answer 200 after a deploy",
};
static REVISION_URL: Key = Key {
    section: "deploy",
    name: "revision_url",
    env: "ORCH_DEPLOY_REVISION_URL",
    kind: Kind::URL,
    default: "",
    doc: "What has to name the merged revision after a deploy",
};
static MONITOR: Key = Key {
    section: "deploy",
    name: "monitor",
    env: "ORCH_DEPLOY_MONITOR",
    kind: Kind::Duration { min_ms: 100, max_ms: 604_800_000, or_off: true },
    default: "10m",
    doc: "How long the deployed revision is watched; 0 means not at all",
};
static TIMEOUT: Key = Key {
    section: "deploy",
    name: "timeout",
    env: "ORCH_DEPLOY_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "30m",
    doc: "How long the deploy, and the way back, may take",
};

/// `[deploy]`.
pub(super) static SECTION: Section = Section {
    name: "deploy",
    instance: None,
    scope: Scope::Repository,
    doc: "What happens after the merge",
    keys: &[&COMMAND, &ROLLBACK_COMMAND, &HEALTH_URL, &REVISION_URL, &MONITOR, &TIMEOUT],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Deploy {
    Deploy {
        command: reader.command(&COMMAND),
        rollback_command: reader.command(&ROLLBACK_COMMAND),
        health_url: reader.text(&HEALTH_URL),
        revision_url: reader.text(&REVISION_URL),
        monitor: reader.duration(&MONITOR),
        timeout: reader.duration(&TIMEOUT),
    }
}
