//! `[serial_gate]`: how many tasks of one repository are worked at once (S5).

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
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

/// `[serial_gate]`.
pub(super) static SECTION: Section = Section {
    name: "serial_gate",
    instance: None,
    scope: Scope::Service,
    doc: "How many tasks of one repository are worked at once",
    keys: &[&ENABLED, &WIDTH],
};

pub(super) fn read(reader: &mut Reader<'_>) -> GatePolicy {
    GatePolicy { enabled: reader.flag(&ENABLED), width: reader.count(&WIDTH) }
}
