//! Joins a role's table with the default's.

use super::adapter::Adapter;
use super::keys::{FALLBACK_ON, REPEATS, STALL, STEPS, TIMEOUT};
use super::table::Table;
use super::{AgentHome, AgentSettings};
use crate::ids::AgentName;
use crate::outcome::Fault;
use crate::settings::error::SettingsError;
use crate::settings::key::Key;
use crate::settings::reader::{Found, Reader};
use crate::settings::rules;

/// Joins a role's table with the default's. `None` after an error.
pub(super) fn settings(
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
        fallback_on: fallback_on(
            own.fallback_on.as_ref().or(default.and_then(|t| t.fallback_on.as_ref())),
        ),
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

/// The faults at which the next of the chain takes over.
fn fallback_on(found: Option<&Found>) -> Vec<Fault> {
    let words = found.and_then(|found| found.value.clone().list());
    let words = words.or_else(|| FALLBACK_ON.kind.read_text(FALLBACK_ON.default).ok()?.list());
    words.unwrap_or_default().iter().filter_map(|word| rules::parse_takeover(word)).collect()
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
