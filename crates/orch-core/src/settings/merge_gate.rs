//! `[merge_gate]`: how branches land (S8).

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;

/// How branches land.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeGate {
    /// Whether a task's branch is deleted from the remote after it landed.
    pub delete_branch: bool,
    /// Tests again per task, because the default branch moved, before it is held.
    pub retests: u32,
    /// Paths inside the repository that no task may change.
    pub protected_paths: Vec<String>,
}

static DELETE_BRANCH: Key = Key {
    section: "merge_gate",
    name: "delete_branch",
    env: "ORCH_MERGE_GATE_DELETE_BRANCH",
    kind: Kind::Flag,
    default: "false",
    doc: "Delete a task's branch from the remote after it landed",
};
static RETESTS: Key = Key {
    section: "merge_gate",
    name: "retests",
    env: "ORCH_MERGE_GATE_RETESTS",
    kind: Kind::Count { min: 0, max: 100 },
    default: "5",
    doc: "Tests again per task, because the default branch moved, before it is held",
};
static PROTECTED_PATHS: Key = Key {
    section: "merge_gate",
    name: "protected_paths",
    env: "ORCH_MERGE_GATE_PROTECTED_PATHS",
    kind: Kind::List { form: "paths inside the repository", rule: rules::inside },
    default: "",
    doc: "Paths that no task may change",
};

/// `[merge_gate]`.
pub(super) static SECTION: Section = Section {
    name: "merge_gate",
    instance: None,
    scope: Scope::Repository,
    doc: "How branches land",
    keys: &[&DELETE_BRANCH, &RETESTS, &PROTECTED_PATHS],
};

pub(super) fn read(reader: &mut Reader<'_>) -> MergeGate {
    MergeGate {
        delete_branch: reader.flag(&DELETE_BRANCH),
        retests: reader.count(&RETESTS),
        protected_paths: reader.list(&PROTECTED_PATHS),
    }
}
