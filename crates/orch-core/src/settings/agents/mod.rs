//! `[agents.default]` and `[agents.ROLE]`: which program works a role, and how (S6).

mod adapter;
mod join;
mod keys;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use self::adapter::Adapter;
use self::join::settings;
pub(super) use self::keys::SECTION;
use self::keys::{FALLBACK_ON, REPEATS, RESUME, STALL, STEPS, TIMEOUT};
use self::table::Table;
use super::error::{Place, SettingsError};
use super::kind::Value;
use super::reader::Reader;
use super::unknown::MAX_INSTANCES;
use crate::ids::AgentName;
use crate::outcome::Fault;
use crate::stage::AGENT_ROLES;

/// The name of the table for every role without an adapter of its own.
const DEFAULT: &str = "default";

/// Which program works each role.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agents {
    /// Every role without a section of its own; `None` where no `[agents.default]` names an
    /// adapter.
    pub default: Option<AgentSettings>,
    /// The roles with a section of their own; what such a section leaves out is the default's.
    pub roles: BTreeMap<AgentName, AgentSettings>,
}

/// The program that works a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// What sort of program it is.
    pub adapter: Adapter,
    /// Its argument vector; always there for `command` and `acp`, for the agent CLIs it replaces
    /// the program's name, `None` for `scripted`.
    pub command: Option<Vec<String>>,
    /// The script inside the repository; always there for `scripted`, else `None`.
    pub script: Option<String>,
    /// A prompt template inside the repository; `None` means the built-in one of the role.
    pub prompt: Option<String>,
    /// How long a run may take.
    pub timeout: Duration,
    /// How long a run may print nothing; `None` means for ever.
    pub stall: Option<Duration>,
    /// Environment variables passed on to it beside the usual ones.
    pub env: Vec<String>,
    /// The provider account that pays; `None` means one that is known by the adapter and the names
    /// of its credentials.
    pub account: Option<String>,
    /// The tables `[agents.NAME]` that take over in this order while the account is shut.
    pub fallback: Vec<AgentName>,
    /// The faults at which they take over, beside a rate limit.
    pub fallback_on: Vec<Fault>,
    /// Runs of the role at once in the repository; `None` is no limit.
    pub max_concurrency: Option<u32>,
    /// The model, as the program calls it; `None` leaves it to the program.
    pub model: Option<String>,
    /// Arguments added to its command line.
    pub args: Vec<String>,
    /// Whether the next run of the role goes on in the session of the last one.
    pub resume: bool,
    /// Which home it has; `None` means what its adapter is made for.
    pub home: Option<AgentHome>,
    /// Tools it may use in one run; `None` is no limit.
    pub steps: Option<u32>,
    /// How often in a row it may do the very same; `None` is no limit.
    pub repeats: Option<u32>,
}

/// Which home an agent's run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgentHome {
    /// One of its own, gone with the run.
    Own,
    /// That of the user whom the service runs as.
    User,
}

impl Agents {
    /// The program for a role: its own or the default; `None` where neither is configured.
    pub fn for_role(&self, role: &AgentName) -> Option<&AgentSettings> {
        self.roles.get(role).or(self.default.as_ref())
    }

    /// Whether the role has a section of its own.
    pub fn has_own(&self, role: &str) -> bool {
        self.roles.keys().any(|own| own.as_str() == role)
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Agents {
    let default = Table::read(reader, DEFAULT);
    let named: BTreeSet<&str> = reader.instances(SECTION.name);
    let roles = named.into_iter().chain(AGENT_ROLES).filter(|role| *role != DEFAULT);
    let roles: BTreeSet<&str> = roles.take(MAX_INSTANCES + AGENT_ROLES.len()).collect();
    let tables = roles.clone();
    let mut agents = Agents::default();
    if let Some(prompt) = &default.prompt {
        let message = "`agents.default.prompt` would be the same prompt for every role".to_owned();
        reader.errors.push(default.error(Some(prompt), message, "set it in [agents.ROLE]"));
    }
    if default.adapter.is_some() {
        agents.default = settings(reader, &default, None);
    }
    note_defaults(reader, &default);
    for role in roles {
        let table = Table::read(reader, role);
        let (Some(_), Ok(name)) = (table.place(), AgentName::new(role)) else { continue };
        if let Some(settings) = settings(reader, &table, Some(&default)) {
            agents.roles.insert(name, settings);
        }
        unknown_fallback(reader, &table, &tables);
    }
    unknown_fallback(reader, &default, &tables);
    agents
}

/// A fallback has to be a table of its own.
fn unknown_fallback(reader: &mut Reader<'_>, table: &Table<'_>, tables: &BTreeSet<&str>) {
    let Some(found) = &table.fallback else { return };
    for name in found.value.clone().list().unwrap_or_default() {
        if !tables.contains(name.as_str()) {
            let role = table.role;
            let message =
                format!("`agents.{role}.fallback` names {name}, and there is no [agents.{name}]");
            let hint = format!("add [agents.{name}] with an adapter, or correct the name");
            reader.errors.push(SettingsError::new(found.place.clone(), message, Some(hint)));
        }
    }
}

/// What every role takes where no table says otherwise.
fn note_defaults(reader: &mut Reader<'_>, default: &Table<'_>) {
    let defaults = [
        (&TIMEOUT, &default.timeout),
        (&STALL, &default.stall),
        (&RESUME, &default.resume),
        (&STEPS, &default.steps),
        (&REPEATS, &default.repeats),
        (&FALLBACK_ON, &default.fallback_on),
    ];
    for (key, found) in defaults {
        if found.is_none() {
            let value = key.kind.read_text(key.default).unwrap_or(Value::Unset);
            reader.note(key, Some(DEFAULT), &value, &Place::Default);
        }
    }
}
