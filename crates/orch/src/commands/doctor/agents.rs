//! The agents that are configured here: their versions, and whether they have a login.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use orch_agents::{Descriptor, descriptor};
use orch_core::settings::{AgentSettings, RepoSettings};

use super::Check;
use crate::env::Env;

/// How long a program may take to say its version; some of them take seconds to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most of a version that is shown.
const MAX_SHOWN: usize = 60;

/// The program that works a role: the configured one, else its adapter's; `None` for the built-in
/// agent and where nothing is named.
pub fn program(agent: &AgentSettings) -> Option<&str> {
    let own = agent.command.as_ref().and_then(|command| command.first());
    let of_adapter = || descriptor(agent.adapter).map(|known| known.program);
    own.map(String::as_str).or_else(of_adapter).filter(|program| !program.is_empty())
}

/// A line for each program that an agent's adapter drives.
pub(super) fn checks(env: &Env, settings: &RepoSettings) -> Vec<Check> {
    let all = settings.agents.default.iter().chain(settings.agents.roles.values());
    let mut programs: BTreeMap<&str, (&'static Descriptor, &AgentSettings)> = BTreeMap::new();
    for agent in all {
        let (Some(known), Some(program)) = (descriptor(agent.adapter), program(agent)) else {
            continue;
        };
        if !known.version_args.is_empty() {
            programs.insert(program, (known, agent));
        }
    }
    programs
        .into_iter()
        .filter_map(|(program, (known, agent))| check(env, program, known, agent))
        .collect()
}

/// One program; `None` where it is not there, which another check says.
fn check(
    env: &Env,
    program: &str,
    known: &'static Descriptor,
    agent: &AgentSettings,
) -> Option<Check> {
    let found =
        if program.contains('/') { Some(program.into()) } else { env.find_program(program) };
    let start = found?;
    let version = match version(&start.display().to_string(), known.version_args) {
        Ok(version) => version,
        Err(reason) => {
            let remedy = format!("run `{program} {}` by hand", known.version_args.join(" "));
            return Some(Check::fail("agent", format!("{program}: {reason}"), remedy));
        }
    };
    let warn = || {
        let detail = format!("{program} {version}, no login found");
        Check::warn("agent", detail, known.login_remedy)
    };
    let ok = |login| Check::ok("agent", format!("{program} {version}, {login}"));
    Some(login(env, known, agent).map_or_else(warn, ok))
}

/// Where the login is; never what it is.
fn login(env: &Env, known: &Descriptor, agent: &AgentSettings) -> Option<String> {
    let set = |name: &&str| env.all().get(*name).is_some_and(|value| !value.is_empty());
    let own = agent.env.iter().map(String::as_str);
    if let Some(key) = known.keys.iter().copied().chain(own).find(|name| set(name)) {
        return Some(format!("{key} is set"));
    }
    let file = known.login_file?;
    let home = env.all().get("HOME")?;
    std::path::Path::new(home).join(file).is_file().then(|| format!("logged in (~/{file})"))
}

/// What a program says of its version, on one line.
fn version(program: &str, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (sender, answer) = mpsc::channel();
    // A program that hangs must not hang the report; the thread goes with this process.
    std::thread::spawn(move || drop(sender.send(command.output())));
    let output = match answer.recv_timeout(PATIENCE) {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(format!("it can't be started: {error}")),
        Err(_) => return Err(format!("it said nothing for {} s", PATIENCE.as_secs())),
    };
    if !output.status.success() {
        return Err(format!("asked for its version, it ended with {}", output.status));
    }
    let said = String::from_utf8_lossy(&output.stdout);
    let line: String = said.lines().next().unwrap_or_default().chars().take(MAX_SHOWN).collect();
    if line.trim().is_empty() {
        Err("it said no version".to_owned())
    } else {
        Ok(line.trim().to_owned())
    }
}
