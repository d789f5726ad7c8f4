//! `[budgets]`: how often things are tried, and how much may be spent, before a task is held.

use std::time::Duration;

use super::duration::format_duration;
use super::error::SettingsError;
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use crate::money::{Limit, SpendLimits};

/// How often things are tried, and how much may be spent, before a task is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budgets {
    /// Bounces per task.
    pub development: u32,
    /// Defers per stage.
    pub infra: u32,
    /// Tries again per stage where nobody can tell what failed.
    pub unknown: u32,
    /// Whether held tasks go on by themselves when the fault that they share is mended.
    pub resume_held: bool,
    /// Attempts per stage that sets none of its own.
    pub attempts: u32,
    /// Runs of a job lost with their worker, at the last of which it is held.
    pub crashes: u32,
    /// The first delay of a defer.
    pub backoff_base: Duration,
    /// The longest delay of a defer.
    pub backoff_cap: Duration,
    /// What language models may cost.
    pub spend: SpendLimits,
}

static DEVELOPMENT: Key = Key {
    section: "budgets",
    name: "development",
    env: "ORCH_BUDGETS_DEVELOPMENT",
    kind: Kind::Count { min: 0, max: 100 },
    default: "3",
    doc: "Bounces (code retries) per task before it is held",
};
static INFRA: Key = Key {
    section: "budgets",
    name: "infra",
    env: "ORCH_BUDGETS_INFRA",
    kind: Kind::Count { min: 0, max: 100 },
    default: "3",
    doc: "Defers per stage, because infrastructure failed for a moment, before a hold",
};
static UNKNOWN: Key = Key {
    section: "budgets",
    name: "unknown",
    env: "ORCH_BUDGETS_UNKNOWN",
    kind: Kind::Count { min: 0, max: 100 },
    default: "1",
    doc: "Tries again per stage, where nobody can tell what failed, before a hold",
};
static RESUME_HELD: Key = Key {
    section: "budgets",
    name: "resume_held",
    env: "ORCH_BUDGETS_RESUME_HELD",
    kind: Kind::Flag,
    default: "false",
    doc: "Held tasks go on by themselves when the fault they share is mended; off, they are offered together",
};
static ATTEMPTS: Key = Key {
    section: "budgets",
    name: "attempts",
    env: "ORCH_BUDGETS_ATTEMPTS",
    kind: Kind::ATTEMPTS,
    default: "3",
    doc: "Attempts per stage that sets none of its own",
};
static CRASHES: Key = Key {
    section: "budgets",
    name: "crashes",
    env: "ORCH_BUDGETS_CRASHES",
    kind: Kind::Count { min: 1, max: 100 },
    default: "3",
    doc: "A job that takes its worker down this often is held; adopted runs don't count",
};
static BACKOFF_BASE: Key = Key {
    section: "budgets",
    name: "backoff_base",
    env: "ORCH_BUDGETS_BACKOFF_BASE",
    kind: Kind::Duration { min_ms: 1, max_ms: 3_600_000, or_off: false },
    default: "30s",
    doc: "First delay of a defer; the second is four times, each further one twenty times as long",
};
static BACKOFF_CAP: Key = Key {
    section: "budgets",
    name: "backoff_cap",
    env: "ORCH_BUDGETS_BACKOFF_CAP",
    kind: Kind::Duration { min_ms: 1, max_ms: 86_400_000, or_off: false },
    default: "10m",
    doc: "Longest delay of a defer",
};
/// A number of tokens.
const TOKENS: Kind = Kind::Count { min: 0, max: u32::MAX };

static TASK_COST: Key = Key {
    section: "budgets",
    name: "task_cost",
    env: "ORCH_BUDGETS_TASK_COST",
    kind: Kind::Money,
    default: "",
    doc: "US dollars that a task may cost before it is held; unset means no limit",
};
static TASK_TOKENS: Key = Key {
    section: "budgets",
    name: "task_tokens",
    env: "ORCH_BUDGETS_TASK_TOKENS",
    kind: TOKENS,
    default: "",
    doc: "Tokens that a task may read and write before it is held; unset means no limit",
};
static REPO_DAY_COST: Key = Key {
    section: "budgets",
    name: "repo_day_cost",
    env: "ORCH_BUDGETS_REPO_DAY_COST",
    kind: Kind::Money,
    default: "",
    doc: "US dollars that the repository's tasks may cost on one day (UTC)",
};
static REPO_DAY_TOKENS: Key = Key {
    section: "budgets",
    name: "repo_day_tokens",
    env: "ORCH_BUDGETS_REPO_DAY_TOKENS",
    kind: TOKENS,
    default: "",
    doc: "Tokens that the repository's tasks may read and write on one day (UTC)",
};
static DAY_COST: Key = Key {
    section: "budgets",
    name: "day_cost",
    env: "ORCH_BUDGETS_DAY_COST",
    kind: Kind::Money,
    default: "",
    doc: "US dollars that the tasks of all repositories may cost on one day (UTC)",
};
static DAY_TOKENS: Key = Key {
    section: "budgets",
    name: "day_tokens",
    env: "ORCH_BUDGETS_DAY_TOKENS",
    kind: TOKENS,
    default: "",
    doc: "Tokens that the tasks of all repositories may read and write on one day (UTC)",
};

/// `[budgets]`.
pub(super) static SECTION: Section = Section {
    name: "budgets",
    instance: None,
    scope: Scope::Repository,
    doc: "How often things are tried, and how much may be spent, before a task is held",
    keys: &[
        &DEVELOPMENT,
        &INFRA,
        &UNKNOWN,
        &ATTEMPTS,
        &CRASHES,
        &BACKOFF_BASE,
        &BACKOFF_CAP,
        &RESUME_HELD,
        &TASK_COST,
        &TASK_TOKENS,
        &REPO_DAY_COST,
        &REPO_DAY_TOKENS,
        &DAY_COST,
        &DAY_TOKENS,
    ],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Budgets {
    let (base, base_place) = reader.value(&BACKOFF_BASE);
    let (cap, cap_place) = reader.value(&BACKOFF_CAP);
    let budgets = Budgets {
        development: reader.count(&DEVELOPMENT),
        infra: reader.count(&INFRA),
        unknown: reader.count(&UNKNOWN),
        resume_held: reader.flag(&RESUME_HELD),
        attempts: reader.count(&ATTEMPTS),
        crashes: reader.count(&CRASHES),
        backoff_base: base.duration().unwrap_or_default(),
        backoff_cap: cap.duration().unwrap_or_default(),
        spend: SpendLimits {
            task: limit(reader, &TASK_COST, &TASK_TOKENS),
            repo_day: limit(reader, &REPO_DAY_COST, &REPO_DAY_TOKENS),
            day: limit(reader, &DAY_COST, &DAY_TOKENS),
        },
    };
    if budgets.backoff_base > budgets.backoff_cap {
        let place = if cap_place == super::Place::Default { base_place } else { cap_place };
        let message = format!(
            "`budgets.backoff_base` ({}) is longer than `budgets.backoff_cap` ({})",
            format_duration(budgets.backoff_base),
            format_duration(budgets.backoff_cap)
        );
        reader.errors.push(SettingsError::new(place, message, None));
    }
    budgets
}

fn limit(reader: &mut Reader<'_>, cost: &Key, tokens: &Key) -> Limit {
    Limit { cost_micros: reader.money(cost), tokens: reader.count_if_set(tokens).map(u64::from) }
}
