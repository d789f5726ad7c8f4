//! `[service]`: the process itself.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use super::error::{Place, SettingsError};
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::reader::Reader;
use super::rules;
use super::secret::Secret;
use super::size::FORM;
use crate::ids::Label;

/// What the process itself needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The state directory as given in `ORCH_HOME`; `None` means the platform's.
    pub home: Option<String>,
    /// Where the API listens.
    pub bind: SocketAddr,
    /// The database; `None` means `orch.db` in the state directory.
    pub database_url: Option<Secret>,
    /// Runs at once on this worker.
    pub max_concurrency: u32,
    /// Runs at once per repository; `None` means no limit of its own.
    pub max_per_repo: Option<u32>,
    /// Runs at once per agent; `None` means no limit of its own.
    pub max_per_agent: Option<u32>,
    /// Runs at once per provider account, by name.
    pub max_per_account: Vec<(String, u32)>,
    /// Bytes that have to be free on the disk of the state directory before a run starts; `None`
    /// asks for none.
    pub min_free_disk: Option<u64>,
    /// What this worker has, for stages that ask for it.
    pub labels: BTreeSet<Label>,
    /// What API callers have to show; always there when `bind` is not loopback.
    pub api_token: Option<Secret>,
    /// The log filter, such as `info,orch_engine=debug`.
    pub log: String,
    /// The form of log lines.
    pub log_format: LogFormat,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The default port of the API.
const PORT: u16 = 8420;

static HOME: Key = Key {
    section: "",
    name: "home",
    env: "ORCH_HOME",
    kind: Kind::Text { form: "a path", rule: rules::path },
    default: "",
    doc: "State directory; unset means the platform's state directory /orchestrator",
};
static BIND: Key = Key {
    section: "service",
    name: "bind",
    env: "ORCH_BIND",
    kind: Kind::Text { form: "an IP address and port", rule: rules::address },
    default: "127.0.0.1:8420",
    doc: "Where the API listens; an address other than loopback needs api_token",
};
static DATABASE_URL: Key = Key {
    section: "service",
    name: "database_url",
    env: "ORCH_DATABASE_URL",
    kind: Kind::Secret,
    default: "",
    doc: "Database; unset means SQLite in orch.db of the state directory",
};
static MAX_CONCURRENCY: Key = Key {
    section: "service",
    name: "max_concurrency",
    env: "ORCH_MAX_CONCURRENCY",
    kind: Kind::Count { min: 1, max: 256 },
    default: "2",
    doc: "Runs at once on one worker",
};
static MAX_PER_REPO: Key = Key {
    section: "service",
    name: "max_per_repo",
    env: "ORCH_SERVICE_MAX_PER_REPO",
    kind: Kind::Count { min: 0, max: 256 },
    default: "0",
    doc: "Runs at once per repository; 0 means no limit of its own",
};
static MAX_PER_AGENT: Key = Key {
    section: "service",
    name: "max_per_agent",
    env: "ORCH_SERVICE_MAX_PER_AGENT",
    kind: Kind::Count { min: 0, max: 256 },
    default: "0",
    doc: "Runs at once per agent; 0 means no limit of its own",
};
static MAX_PER_ACCOUNT: Key = Key {
    section: "service",
    name: "max_per_account",
    env: "ORCH_SERVICE_MAX_PER_ACCOUNT",
    kind: Kind::List { form: "NAME=RUNS", rule: rules::account_limit },
    default: "",
    doc: "Runs at once per provider account over all workers, such as claude-main=4",
};
static MIN_FREE_DISK: Key = Key {
    section: "service",
    name: "min_free_disk",
    env: "ORCH_SERVICE_MIN_FREE_DISK",
    kind: Kind::Text { form: FORM, rule: rules::size },
    default: "512MB",
    doc: "Free space on the disk of the state directory below which no run starts here; 0 means any",
};
static LABELS: Key = Key {
    section: "service",
    name: "labels",
    env: "ORCH_WORKER_LABELS",
    kind: Kind::List { form: "labels", rule: rules::label },
    default: "",
    doc: "What this worker has, such as gpu; stages may ask for it",
};
static API_TOKEN: Key = Key {
    section: "service",
    name: "api_token",
    env: "ORCH_API_TOKEN",
    kind: Kind::Secret,
    default: "",
    doc: "Bearer token that API callers have to show; unset means none is asked for",
};
static LOG: Key = Key {
    section: "service",
    name: "log",
    env: "ORCH_LOG",
    kind: Kind::Text { form: "a log filter such as info,orch_engine=debug", rule: rules::text },
    default: "info",
    doc: "Log filter",
};
static LOG_FORMAT: Key = Key {
    section: "service",
    name: "log_format",
    env: "ORCH_LOG_FORMAT",
    kind: Kind::Choice(&["text", "json"]),
    default: "text",
    doc: "Form of log lines",
};

/// What only the environment can say.
pub(super) static ENVIRONMENT: Section = Section {
    name: "",
    instance: None,
    scope: Scope::Service,
    doc: "What only the environment can say",
    keys: &[&HOME],
};

/// `[service]`.
pub(super) static SECTION: Section = Section {
    name: "service",
    instance: None,
    scope: Scope::Service,
    doc: "The process itself",
    keys: &[
        &BIND,
        &DATABASE_URL,
        &MAX_CONCURRENCY,
        &MAX_PER_REPO,
        &MAX_PER_AGENT,
        &MAX_PER_ACCOUNT,
        &MIN_FREE_DISK,
        &LABELS,
        &API_TOKEN,
        &LOG,
        &LOG_FORMAT,
    ],
};

pub(super) fn read(reader: &mut Reader<'_>) -> Service {
    let home = reader.text(&HOME);
    let (bind, place) = reader.value(&BIND);
    let fallback = || (Ipv4Addr::LOCALHOST, PORT).into();
    let bind = bind.text().and_then(|text| rules::parse_address(&text)).unwrap_or_else(fallback);
    let service = Service {
        home,
        bind,
        database_url: reader.secret(&DATABASE_URL),
        max_concurrency: reader.count(&MAX_CONCURRENCY),
        max_per_repo: Some(reader.count(&MAX_PER_REPO)).filter(|limit| *limit > 0),
        max_per_agent: Some(reader.count(&MAX_PER_AGENT)).filter(|limit| *limit > 0),
        max_per_account: reader
            .list(&MAX_PER_ACCOUNT)
            .iter()
            .filter_map(|limit| rules::parse_account_limit(limit))
            .collect(),
        min_free_disk: reader.size(&MIN_FREE_DISK),
        labels: super::repository::labels(reader.list(&LABELS)),
        api_token: reader.secret(&API_TOKEN),
        log: reader.text(&LOG).unwrap_or_default(),
        log_format: match reader.text(&LOG_FORMAT).as_deref() {
            Some("json") => LogFormat::Json,
            _ => LogFormat::Text,
        },
    };
    if !service.bind.ip().is_loopback() && service.api_token.is_none() {
        reader.errors.push(unguarded(service.bind, place));
    }
    service
}

fn unguarded(bind: SocketAddr, place: Place) -> SettingsError {
    SettingsError::new(
        place,
        format!("`service.bind` {bind} is open to other machines, but no API token is set"),
        Some(format!("bind to 127.0.0.1:{}, or set ORCH_API_TOKEN", bind.port())),
    )
}
