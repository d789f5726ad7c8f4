//! `[serial_gate]`: how many tasks of one repository are worked at once (S5).

use std::collections::BTreeSet;

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;
use crate::ids::StageName;
use crate::serial_gate::GatePolicy;

static ENABLED: Key = Key {
    section: "serial_gate",
    name: "enabled",
    env: "ORCH_SERIAL_GATE_ENABLED",
    kind: Kind::Flag,
    default: "true",
    doc: "Kill-switch: off admits every task at once",
};
static WIDTH: Key = Key {
    section: "serial_gate",
    name: "width",
    env: "ORCH_SERIAL_GATE_WIDTH",
    kind: Kind::Count { min: 1, max: 64 },
    default: "1",
    doc: "Tasks of one repository inside the gate at once",
};

static STAGES: Key = Key {
    section: "serial_gate",
    name: "stages",
    env: "ORCH_SERIAL_GATE_STAGES",
    kind: Kind::List { form: "stage names", rule: rules::stage },
    default: "",
    doc: "The stages that it guards; unset means all. At others a task waits for nobody",
};

/// `[serial_gate]`.
pub(super) static SECTION: Section = Section {
    name: "serial_gate",
    instance: None,
    scope: Scope::Service,
    doc: "How many tasks of one repository are worked at once",
    keys: &[&ENABLED, &WIDTH, &STAGES],
};

pub(super) fn read(reader: &mut Reader<'_>) -> GatePolicy {
    GatePolicy { enabled: reader.flag(&ENABLED), width: reader.count(&WIDTH) }
}

/// The stages that the gate guards; empty means all.
pub(super) fn read_stages(reader: &mut Reader<'_>) -> BTreeSet<StageName> {
    // The rule of the list lets through only names.
    reader.list(&STAGES).into_iter().filter_map(|name| StageName::new(name).ok()).collect()
}
