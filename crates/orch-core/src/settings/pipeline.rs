//! `[pipeline]` and `[stage.NAME]`: what a repository says of its stages. What a pipeline makes of
//! it is [`crate::pipeline::resolve`]'s.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{Place, Placed};
use super::key::{Key, Scope, Section};
use super::kind::{Kind, Value};
use super::reader::Reader;
use super::rules;
use super::unknown::MAX_INSTANCES;
use crate::ids::Label;
use crate::stage::{MERGE, STAGE_TRANSITIONS};

/// What a repository says of its pipeline, unresolved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineSettings {
    /// The stages in order; `None` means the standard ones that are configured.
    pub stages: Option<Placed<Vec<Placed<String>>>>,
    /// The tables `[stage.NAME]`.
    pub tables: BTreeMap<String, StageTable>,
}

/// One `[stage.NAME]`: each field is `None` where the table is silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageTable {
    /// Where the table is.
    pub place: Place,
    /// `agent:ROLE`, `runner:NAME`, `human` or `merge`.
    pub producer: Option<Placed<String>>,
    /// The name of a gate.
    pub gate: Option<Placed<String>>,
    /// `retry`, `hold` or `bounce:STAGE`.
    pub on_fail: Option<Placed<String>>,
    /// The stage after a pass, or `done`.
    pub next: Option<Placed<String>>,
    /// Attempts before the task is held.
    pub attempts: Option<Placed<u32>>,
    /// What the producer may change.
    pub writes: Option<Placed<Writes>>,
    /// What a worker must have; an empty list means any worker does.
    pub labels: Option<Placed<BTreeSet<Label>>>,
}

/// What a stage's producer may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    /// Any file.
    Code,
    /// Only the task's artifact folder.
    Artifacts,
}

static STAGES: Key = Key {
    section: "pipeline",
    name: "stages",
    env: "ORCH_PIPELINE_STAGES",
    kind: Kind::List { form: "stage names", rule: rules::text },
    default: "",
    doc: "The stages in order; unset means the standard ones that have something configured",
};
static PRODUCER: Key = Key {
    section: "stage",
    name: "producer",
    env: "ORCH_STAGE_*_PRODUCER",
    kind: Kind::Text { form: "agent:ROLE, runner:NAME, human or merge", rule: rules::text },
    default: "",
    doc: "Who works the stage",
};
static GATE: Key = Key {
    section: "stage",
    name: "gate",
    env: "ORCH_STAGE_*_GATE",
    kind: Kind::Text { form: "the name of a gate", rule: rules::text },
    default: "",
    doc: "The check that closes the stage",
};
static ON_FAIL: Key = Key {
    section: "stage",
    name: "on_fail",
    env: "ORCH_STAGE_*_ON_FAIL",
    kind: Kind::Text { form: "retry, hold or bounce:STAGE", rule: rules::text },
    default: "",
    doc: "What a failed verdict leads to",
};
static NEXT: Key = Key {
    section: "stage",
    name: "next",
    env: "ORCH_STAGE_*_NEXT",
    kind: Kind::Text { form: "a stage, or done", rule: rules::text },
    default: "",
    doc: "The stage after a pass; unset means the next in [pipeline] stages",
};
static ATTEMPTS: Key = Key {
    section: "stage",
    name: "attempts",
    env: "ORCH_STAGE_*_ATTEMPTS",
    kind: Kind::ATTEMPTS,
    default: "",
    doc: "Attempts before the task is held; unset means budgets.attempts",
};
static WRITES: Key = Key {
    section: "stage",
    name: "writes",
    env: "ORCH_STAGE_*_WRITES",
    kind: Kind::Choice(&["code", "artifacts"]),
    default: "",
    doc: "What the producer may change: any file, or only the task's artifact folder",
};

static LABELS: Key = Key {
    section: "stage",
    name: "labels",
    env: "ORCH_STAGE_*_LABELS",
    kind: Kind::List { form: "labels of workers", rule: rules::label },
    default: "",
    doc: "What a worker must have to work the stage; unset means repository.labels",
};

/// `[pipeline]`.
pub(super) static SECTION: Section = Section {
    name: "pipeline",
    instance: None,
    scope: Scope::Repository,
    doc: "The stages that a task passes",
    keys: &[&STAGES],
};

/// `[stage.NAME]`.
pub(super) static STAGE_SECTION: Section = Section {
    name: "stage",
    instance: Some("NAME"),
    scope: Scope::Repository,
    doc: "A stage of one's own, or a change to a standard one",
    keys: &[&PRODUCER, &GATE, &ON_FAIL, &NEXT, &ATTEMPTS, &WRITES, &LABELS],
};

pub(super) fn read(reader: &mut Reader<'_>) -> PipelineSettings {
    let stages = reader.placed_list(&STAGES);
    if stages.is_none() {
        reader.note(&STAGES, None, &Value::Unset, &Place::Default);
    }
    let named = reader.instances(STAGE_SECTION.name);
    // The environment can speak of stages that no file has a table for.
    let listed = stages.iter().flat_map(|stages| &stages.value).map(|stage| stage.value.as_str());
    let standard = STAGE_TRANSITIONS.iter().map(|row| row.stage).chain([MERGE]);
    let names: BTreeSet<&str> = named
        .into_iter()
        .take(MAX_INSTANCES)
        .chain(listed.take(MAX_INSTANCES))
        .chain(standard)
        .collect();
    let tables = names
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), table(reader, name)?)))
        .collect();
    PipelineSettings { stages, tables }
}

fn table(reader: &mut Reader<'_>, name: &str) -> Option<StageTable> {
    let producer = reader.placed_text(&PRODUCER, Some(name));
    let gate = reader.placed_text(&GATE, Some(name));
    let on_fail = reader.placed_text(&ON_FAIL, Some(name));
    let next = reader.placed_text(&NEXT, Some(name));
    let attempts = reader.found(&ATTEMPTS, Some(name)).and_then(|found| match found.value {
        Value::Count(value) => Some(Placed { value, place: found.place }),
        _ => None,
    });
    let writes = reader.placed_text(&WRITES, Some(name)).map(|writes| Placed {
        value: if writes.value == "code" { Writes::Code } else { Writes::Artifacts },
        place: writes.place,
    });
    let labels = reader.found(&LABELS, Some(name)).map(|found| Placed {
        place: found.place,
        value: super::repository::labels(found.value.list().unwrap_or_default()),
    });
    let texts = [&producer, &gate, &on_fail, &next].into_iter().flatten().map(|text| &text.place);
    let others = attempts.iter().map(|a| &a.place).chain(writes.iter().map(|w| &w.place));
    let others = others.chain(labels.iter().map(|labels| &labels.place));
    let first = texts.chain(others).next().cloned();
    let place = reader.header(STAGE_SECTION.name, name).or(first)?;
    Some(StageTable { place, producer, gate, on_fail, next, attempts, writes, labels })
}
