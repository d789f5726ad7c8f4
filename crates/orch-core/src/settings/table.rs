//! The one table of settings.

use super::key::{Key, Section};
use super::{
    agents, alerts, breaker, budgets, deploy, launcher, merge_gate, object_store, pipeline, prices,
    reaper, redact, repository, retention, sandbox, serial_gate, service, ssh, staging_runner,
    test_runner,
};

/// Every section with every key, in the order of the documentation. The first holds what only the
/// environment can say.
pub static SECTIONS: [&Section; 22] = [
    &service::ENVIRONMENT,
    &service::SECTION,
    &serial_gate::SECTION,
    &reaper::SECTION,
    &breaker::SECTION,
    &alerts::SECTION,
    &retention::SECTION,
    &object_store::SECTION,
    &launcher::SECTION,
    &ssh::SECTION,
    &repository::SECTION,
    &pipeline::SECTION,
    &pipeline::STAGE_SECTION,
    &agents::SECTION,
    &sandbox::SECTION,
    &redact::SECTION,
    &test_runner::SECTION,
    &staging_runner::SECTION,
    &deploy::SECTION,
    &merge_gate::SECTION,
    &budgets::SECTION,
    &prices::SECTION,
];

/// What a producer finds in its environment: `ORCH_*` variables that are not settings.
pub const AGENT_ENV: [&str; 8] = [
    "ORCH_TASK",
    "ORCH_STAGE",
    "ORCH_AGENT",
    "ORCH_ATTEMPT",
    "ORCH_RUN_ID",
    "ORCH_ARTIFACT_DIR",
    "ORCH_BRIEF_FILE",
    "ORCH_REVISION",
];

/// The section of that name in `orch.toml`.
pub(super) fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.into_iter().find(|section| !name.is_empty() && section.name == name)
}

/// Every section that `orch.toml` can have.
pub(super) fn file_sections() -> impl Iterator<Item = &'static Section> {
    SECTIONS.into_iter().filter(|section| !section.name.is_empty())
}

/// Every key.
pub(super) fn keys() -> impl Iterator<Item = (&'static Section, &'static Key)> {
    SECTIONS.into_iter().flat_map(|section| section.keys.iter().map(move |key| (section, *key)))
}
