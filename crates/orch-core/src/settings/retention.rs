//! `[retention]`: how long what is over is kept.

use std::time::Duration;

use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use crate::retention::Keep;

/// How long what is over is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Finished tasks, with their jobs, runs, gate results, events and idempotency keys.
    pub tasks: Keep,
    /// Directories of finished runs: their logs.
    pub runs: Keep,
    /// The age from which delivered alerts, workers not heard of and events of no task go; `None`
    /// keeps them.
    pub records: Option<Duration>,
    /// The time between two rounds.
    pub interval: Duration,
}

/// From a second to a hundred years.
const AGE: Kind = Kind::Duration { min_ms: 1_000, max_ms: 36_525 * 86_400_000, or_off: true };
const NEWEST: Kind = Kind::Count { min: 0, max: 1_000_000 };

static TASKS: Key = Key {
    section: "retention",
    name: "tasks",
    env: "ORCH_RETENTION_TASKS",
    kind: AGE,
    default: "90d",
    doc: "Age from which finished tasks are deleted with all that belongs to them; 0 keeps them",
};
static KEEP_TASKS: Key = Key {
    section: "retention",
    name: "keep_tasks",
    env: "ORCH_RETENTION_KEEP_TASKS",
    kind: NEWEST,
    default: "1000",
    doc: "Finished tasks that stay however old they are, the newest of all repositories",
};
static RUNS: Key = Key {
    section: "retention",
    name: "runs",
    env: "ORCH_RETENTION_RUNS",
    kind: AGE,
    default: "14d",
    doc: "Age from which directories of finished runs (logs) are deleted; 0 keeps them as long as their tasks",
};
static KEEP_RUNS: Key = Key {
    section: "retention",
    name: "keep_runs",
    env: "ORCH_RETENTION_KEEP_RUNS",
    kind: NEWEST,
    default: "200",
    doc: "Directories of finished runs that stay however old they are, the newest",
};
static RECORDS: Key = Key {
    section: "retention",
    name: "records",
    env: "ORCH_RETENTION_RECORDS",
    kind: AGE,
    default: "30d",
    doc: "Age from which events of no task, delivered alerts and workers not heard of are deleted; 0 keeps them",
};
static INTERVAL: Key = Key {
    section: "retention",
    name: "interval",
    env: "ORCH_RETENTION_INTERVAL",
    kind: Kind::Duration { min_ms: 50, max_ms: 86_400_000, or_off: false },
    default: "1h",
    doc: "Time between two rounds that delete what is due; the first is a minute after the start",
};

/// `[retention]`.
pub(super) static SECTION: Section = Section {
    name: "retention",
    instance: None,
    scope: Scope::Service,
    doc: "How long what is over is kept",
    keys: &[&TASKS, &KEEP_TASKS, &RUNS, &KEEP_RUNS, &RECORDS, &INTERVAL],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Retention {
    Retention {
        tasks: Keep { age: age(reader, &TASKS), newest: reader.count(&KEEP_TASKS) },
        runs: Keep { age: age(reader, &RUNS), newest: reader.count(&KEEP_RUNS) },
        records: age(reader, &RECORDS),
        interval: reader.duration(&INTERVAL),
    }
}

fn age(reader: &mut Reader<'_>, key: &Key) -> Option<Duration> {
    Some(reader.duration(key)).filter(|age| !age.is_zero())
}

#[cfg(test)]
mod tests {
    use super::super::{Env, Sources, load_service};
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Retention {
        let env: Env = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let sources = Sources { service: None, repository: None, env: &env };
        load_service(&sources).unwrap().value.retention
    }

    #[test]
    fn nothing_is_kept_for_ever_unless_somebody_says_so() {
        const DAY: Duration = Duration::from_hours(24);
        let default = read(&[]);
        assert_eq!(default.tasks, Keep { age: Some(90 * DAY), newest: 1_000 });
        assert_eq!(default.runs, Keep { age: Some(14 * DAY), newest: 200 });
        assert_eq!(default.records, Some(30 * DAY));
        let off = read(&[
            ("ORCH_RETENTION_TASKS", "0"),
            ("ORCH_RETENTION_RUNS", "0s"),
            ("ORCH_RETENTION_RECORDS", "0"),
        ]);
        assert_eq!((off.tasks.age, off.runs.age, off.records), (None, None, None));
    }
}
