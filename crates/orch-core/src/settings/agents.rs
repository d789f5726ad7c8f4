//! `[agents.default]` and `[agents.ROLE]`: which program works a role, and how (S6).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::error::{Place, SettingsError};
use super::key::{Key, Scope, Section};
use super::kind::{Kind, Value};
use super::reader::{Found, Reader};
use super::rules;
use super::unknown::MAX_INSTANCES;
use crate::ids::AgentName;
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

/// A sort of agent program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Adapter {
    /// Claude Code.
    Claude,
    /// Codex.
    Codex,
    /// Gemini CLI.
    Gemini,
    /// OpenCode.
    Opencode,
    /// Qwen Code.
    Qwen,
    /// Any agent that speaks the Agent Client Protocol on stdio.
    Acp,
    /// Any program: brief on stdin, exit code out.
    Command,
    /// The built-in agent that plays a script.
    Scripted,
}

impl Adapter {
    /// Every adapter with its name in `orch.toml`.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Claude, "claude"),
        (Self::Codex, "codex"),
        (Self::Gemini, "gemini"),
        (Self::Opencode, "opencode"),
        (Self::Qwen, "qwen"),
        (Self::Acp, "acp"),
        (Self::Command, "command"),
        (Self::Scripted, "scripted"),
    ];

    /// The name in `orch.toml`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(adapter, _)| *adapter == self).map_or("", |(_, name)| name)
    }

    /// Looks an adapter up by its name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(adapter, _)| *adapter)
    }
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

static ADAPTER: Key = Key {
    section: "agents",
    name: "adapter",
    env: "ORCH_AGENTS_*_ADAPTER",
    kind: Kind::Choice(&[
        "claude", "codex", "gemini", "opencode", "qwen", "acp", "command", "scripted",
    ]),
    default: "",
    doc: "The sort of program that works the role",
};
static COMMAND: Key = Key {
    section: "agents",
    name: "command",
    env: "ORCH_AGENTS_*_COMMAND",
    kind: Kind::Argv,
    default: "",
    doc: "Its argument vector; for command and acp a must, for agent CLIs in place of their name",
};
static SCRIPT: Key = Key {
    section: "agents",
    name: "script",
    env: "ORCH_AGENTS_*_SCRIPT",
    kind: Kind::Text { form: "a path inside the repository", rule: rules::inside },
    default: "",
    doc: "The script that the adapter scripted plays, inside the repository",
};
static PROMPT: Key = Key {
    section: "agents",
    name: "prompt",
    env: "ORCH_AGENTS_*_PROMPT",
    kind: Kind::Text { form: "a path inside the repository", rule: rules::inside },
    default: "",
    doc: "A prompt template inside the repository, in place of the role's built-in one",
};
static TIMEOUT: Key = Key {
    section: "agents",
    name: "timeout",
    env: "ORCH_AGENTS_*_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "30m",
    doc: "How long a run may take",
};
static STALL: Key = Key {
    section: "agents",
    name: "stall",
    env: "ORCH_AGENTS_*_STALL",
    kind: Kind::Duration { min_ms: 100, max_ms: 604_800_000, or_off: true },
    default: "5m",
    doc: "How long a run may print nothing; 0 means for ever",
};
static ENV: Key = Key {
    section: "agents",
    name: "env",
    env: "ORCH_AGENTS_*_ENV",
    kind: Kind::List { form: "names of environment variables", rule: rules::env_name },
    default: "",
    doc: "Environment variables passed on to it beside the usual ones",
};
static ACCOUNT: Key = Key {
    section: "agents",
    name: "account",
    env: "ORCH_AGENTS_*_ACCOUNT",
    kind: Kind::Text { form: "a name", rule: rules::account },
    default: "",
    doc: "The provider account that pays, such as claude-main; a rate limit pauses all of its runs",
};
static FALLBACK: Key = Key {
    section: "agents",
    name: "fallback",
    env: "ORCH_AGENTS_*_FALLBACK",
    kind: Kind::List { form: "names of [agents.NAME]", rule: rules::agent },
    default: "",
    doc: "Tables [agents.NAME] that take over in this order while its account is paused",
};
static MAX_CONCURRENCY: Key = Key {
    section: "agents",
    name: "max_concurrency",
    env: "ORCH_AGENTS_*_MAX_CONCURRENCY",
    kind: Kind::Count { min: 1, max: 1000 },
    default: "",
    doc: "Runs of the role at once in the repository; unset means no limit",
};

static MODEL: Key = Key {
    section: "agents",
    name: "model",
    env: "ORCH_AGENTS_*_MODEL",
    kind: Kind::Text { form: "the name of a model", rule: rules::text },
    default: "",
    doc: "The model, as the program calls it",
};
static ARGS: Key = Key {
    section: "agents",
    name: "args",
    env: "ORCH_AGENTS_*_ARGS",
    kind: Kind::Argv,
    default: "",
    doc: "Arguments added to its command line",
};
static RESUME: Key = Key {
    section: "agents",
    name: "resume",
    env: "ORCH_AGENTS_*_RESUME",
    kind: Kind::Flag,
    default: "true",
    doc: "Whether the next run of the role goes on in the session of the last one",
};
static HOME: Key = Key {
    section: "agents",
    name: "home",
    env: "ORCH_AGENTS_*_HOME",
    kind: Kind::Choice(&["own", "user"]),
    default: "",
    doc: "A home of its own for each run, or the user's; agent CLIs have their own, programs the user's",
};
static STEPS: Key = Key {
    section: "agents",
    name: "steps",
    env: "ORCH_AGENTS_*_STEPS",
    kind: Kind::Count { min: 0, max: 1_000_000 },
    default: "1000",
    doc: "Tools it may use in one run, where its stream tells them; 0 means any number",
};
static REPEATS: Key = Key {
    section: "agents",
    name: "repeats",
    env: "ORCH_AGENTS_*_REPEATS",
    kind: Kind::Count { min: 0, max: 1_000_000 },
    default: "25",
    doc: "How often in a row it may use a tool for the very same; 0 means any number",
};

/// `[agents.ROLE]`.
pub(super) static SECTION: Section = Section {
    name: "agents",
    instance: Some("ROLE"),
    scope: Scope::Repository,
    doc: "Which program works a role; [agents.default] is for every role without one of its own",
    keys: &[
        &ADAPTER,
        &COMMAND,
        &SCRIPT,
        &PROMPT,
        &TIMEOUT,
        &STALL,
        &ENV,
        &ACCOUNT,
        &FALLBACK,
        &MAX_CONCURRENCY,
        &MODEL,
        &ARGS,
        &RESUME,
        &HOME,
        &STEPS,
        &REPEATS,
    ],
};

/// What one table says.
struct Table<'a> {
    role: &'a str,
    header: Option<Place>,
    adapter: Option<Found>,
    command: Option<Found>,
    script: Option<Found>,
    prompt: Option<Found>,
    timeout: Option<Found>,
    stall: Option<Found>,
    env: Option<Found>,
    account: Option<Found>,
    fallback: Option<Found>,
    max_concurrency: Option<Found>,
    model: Option<Found>,
    args: Option<Found>,
    resume: Option<Found>,
    home: Option<Found>,
    steps: Option<Found>,
    repeats: Option<Found>,
}

impl<'a> Table<'a> {
    fn read(reader: &mut Reader<'_>, role: &'a str) -> Self {
        let mut get = |key| reader.found(key, Some(role));
        Self {
            role,
            adapter: get(&ADAPTER),
            command: get(&COMMAND),
            script: get(&SCRIPT),
            prompt: get(&PROMPT),
            timeout: get(&TIMEOUT),
            stall: get(&STALL),
            env: get(&ENV),
            account: get(&ACCOUNT),
            fallback: get(&FALLBACK),
            max_concurrency: get(&MAX_CONCURRENCY),
            model: get(&MODEL),
            args: get(&ARGS),
            resume: get(&RESUME),
            home: get(&HOME),
            steps: get(&STEPS),
            repeats: get(&REPEATS),
            header: reader.header(SECTION.name, role),
        }
    }

    /// Where the table is, or, for one made of environment variables, its first variable.
    fn place(&self) -> Option<Place> {
        let found = [&self.adapter, &self.command, &self.script, &self.prompt];
        let more = [
            &self.timeout,
            &self.stall,
            &self.env,
            &self.account,
            &self.fallback,
            &self.max_concurrency,
        ];
        let rest = [&self.model, &self.args, &self.resume, &self.home, &self.steps, &self.repeats];
        let mut all = found.into_iter().chain(more).chain(rest).flatten();
        self.header.clone().or_else(|| all.next().map(|found| found.place.clone()))
    }

    fn error(&self, found: Option<&Found>, message: String, hint: &str) -> SettingsError {
        let place = found.map(|found| found.place.clone()).or_else(|| self.place());
        SettingsError::new(place.unwrap_or(Place::Default), message, Some(hint.to_owned()))
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
    ];
    for (key, found) in defaults {
        if found.is_none() {
            let value = key.kind.read_text(key.default).unwrap_or(Value::Unset);
            reader.note(key, Some(DEFAULT), &value, &Place::Default);
        }
    }
}

/// Joins a role's table with the default's. `None` after an error.
fn settings(
    reader: &mut Reader<'_>,
    own: &Table<'_>,
    default: Option<&Table<'_>>,
) -> Option<AgentSettings> {
    // A role that names its adapter takes neither command nor script from the default.
    let launch = default.filter(|_| own.adapter.is_none());
    let Some(adapter) = own.adapter.as_ref().or(launch.and_then(|table| table.adapter.as_ref()))
    else {
        let message = format!("[agents.{}] names no adapter, nor does [agents.default]", own.role);
        let hint = "add adapter = \"claude\", or another of claude, codex, gemini, opencode, qwen, \
                    acp, command, scripted";
        reader.errors.push(own.error(None, message, hint));
        return None;
    };
    let command = own.command.as_ref().or(launch.and_then(|table| table.command.as_ref()));
    let script = own.script.as_ref().or(launch.and_then(|table| table.script.as_ref()));
    let kind = adapter.value.clone().text().and_then(|name| Adapter::by_name(&name))?;
    let problems = unfit(own, adapter, kind, command, script);
    let fit = problems.is_empty();
    reader.errors.extend(problems);
    let duration = |own: &Option<Found>, inherited: Option<&Found>, key: &Key| {
        let found = own.as_ref().or(inherited).and_then(|found| found.value.duration());
        found.or_else(|| key.kind.read_text(key.default).ok()?.duration()).unwrap_or_default()
    };
    let stall = duration(&own.stall, default.and_then(|t| t.stall.as_ref()), &STALL);
    let list = |found: Option<&Found>| found.and_then(|found| found.value.clone().list());
    let text = |found: Option<&Found>| found.and_then(|found| found.value.clone().text());
    let scripted = kind == Adapter::Scripted;
    // A role that names its adapter takes the default's model and arguments as little as its command.
    let model = own.model.as_ref().or(launch.and_then(|table| table.model.as_ref()));
    let args = own.args.as_ref().or(launch.and_then(|table| table.args.as_ref()));
    let resume = own.resume.as_ref().or(default.and_then(|t| t.resume.as_ref()));
    let home = own.home.as_ref().or(default.and_then(|t| t.home.as_ref()));
    let steps = own.steps.as_ref().or(default.and_then(|t| t.steps.as_ref()));
    let repeats = own.repeats.as_ref().or(default.and_then(|t| t.repeats.as_ref()));
    let limit = |found: Option<&Found>, key: &Key| {
        let count = found.and_then(|found| found.value.count());
        let count = count.or_else(|| key.kind.read_text(key.default).ok()?.count());
        count.filter(|count| *count > 0)
    };
    fit.then(|| AgentSettings {
        adapter: kind,
        command: list(command).filter(|_| !scripted),
        script: text(script).filter(|_| scripted),
        prompt: text(own.prompt.as_ref()),
        timeout: duration(&own.timeout, default.and_then(|t| t.timeout.as_ref()), &TIMEOUT),
        stall: (!stall.is_zero()).then_some(stall),
        env: list(own.env.as_ref().or(default.and_then(|t| t.env.as_ref()))).unwrap_or_default(),
        account: text(own.account.as_ref().or(launch.and_then(|t| t.account.as_ref()))),
        fallback: list(own.fallback.as_ref().or(launch.and_then(|t| t.fallback.as_ref())))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|name| AgentName::new(name).ok())
            .collect(),
        max_concurrency: own
            .max_concurrency
            .as_ref()
            .or(default.and_then(|t| t.max_concurrency.as_ref()))
            .and_then(|found| found.value.count()),
        model: text(model).filter(|_| !matches!(kind, Adapter::Command | Adapter::Scripted)),
        args: list(args).filter(|_| !scripted).unwrap_or_default(),
        resume: resume.and_then(|found| found.value.flag()).unwrap_or(true),
        home: text(home).map(|word| if word == "own" { AgentHome::Own } else { AgentHome::User }),
        steps: limit(steps, &STEPS),
        repeats: limit(repeats, &REPEATS),
    })
}

/// What an adapter lacks, or has and can't use.
fn unfit(
    own: &Table<'_>,
    adapter: &Found,
    kind: Adapter,
    command: Option<&Found>,
    script: Option<&Found>,
) -> Vec<SettingsError> {
    let (role, name) = (own.role, kind.name());
    let mut errors = Vec::new();
    // What a file below the adapter's says was meant for the adapter that is replaced.
    let meant = |found: &&Found| found.rank >= adapter.rank;
    if matches!(kind, Adapter::Command | Adapter::Acp) && command.is_none() {
        let message = format!("[agents.{role}] has adapter \"{name}\" but no command");
        let hint = "add command = [\"program\", \"argument\"]";
        errors.push(own.error(Some(adapter), message, hint));
    }
    if kind == Adapter::Scripted && script.is_none() {
        let message = format!("[agents.{role}] has adapter \"scripted\" but no script");
        errors.push(own.error(Some(adapter), message, "add script = \"path/in/repository.toml\""));
    }
    if let Some(command) = command.filter(meant).filter(|_| kind == Adapter::Scripted) {
        let message = format!("`agents.{role}.command` is not for adapter \"scripted\"");
        errors.push(own.error(Some(command), message, "remove it, or say adapter = \"command\""));
    }
    if let Some(script) = script.filter(meant).filter(|_| kind != Adapter::Scripted) {
        let message = format!("`agents.{role}.script` is not for adapter \"{name}\"");
        errors.push(own.error(Some(script), message, "remove it, or say adapter = \"scripted\""));
    }
    errors
}
