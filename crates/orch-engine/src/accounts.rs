//! Provider accounts: which ways the agents of a repository can take, and what shuts one.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use orch_core::channel::{ACCOUNT, Pause, Route, Shutter, pause};
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{AgentName, RepoName};
use orch_core::outcome::{Fault, Outcome};
use orch_core::settings::{Adapter, AgentSettings, Agents};
use orch_core::stage::AGENT_ROLES;
use orch_store::{NewRoute, Repo, StoreError};

use crate::engine::Engine;
use crate::error::chain;
use crate::repo_config::RepoConfig;
use crate::run::Owned;

/// The longest name of an account that nobody named.
const MAX_NAME: usize = 100;

/// The routes as this process wrote them last: writing them again would only cost.
#[derive(Debug, Default)]
pub struct Routes {
    written: Mutex<HashMap<RepoName, Vec<NewRoute>>>,
}

/// Writes a repository's routes down for claims, where its settings have changed them.
pub fn sync(engine: &Engine, repo: &Repo, config: &RepoConfig) -> Result<(), StoreError> {
    let routes = routes(repo, &config.settings.agents);
    let written = || engine.routes.written.lock().unwrap_or_else(PoisonError::into_inner);
    if written().get(&repo.info.name) == Some(&routes) {
        return Ok(());
    }
    engine.store.set_routes(repo.id, &routes)?;
    written().insert(repo.info.name.clone(), routes);
    Ok(())
}

/// The same for every repository, at the start.
pub fn sync_all(engine: &Engine) {
    let limited = engine.store.limit_accounts(&engine.settings.account_limits);
    let synced = limited.and_then(|()| engine.store.repos()).map(|repos| {
        for repo in repos {
            let Ok(config) = RepoConfig::load(engine, &repo) else { continue };
            if let Err(error) = sync(engine, &repo, &config) {
                tracing::error!(repo = %repo.info.name, error = chain(&error), "the routes of a repository could not be written");
            }
        }
    });
    if let Err(error) = synced {
        tracing::error!(error = chain(&error), "the limits of accounts could not be written");
    }
}

fn routes(repo: &Repo, agents: &Agents) -> Vec<NewRoute> {
    let standard = AGENT_ROLES.iter().filter_map(|role| AgentName::new(*role).ok());
    let roles: BTreeSet<AgentName> = standard.chain(agents.roles.keys().cloned()).collect();
    roles.iter().flat_map(|role| chain_of(repo, agents, role)).collect()
}

/// A role's own settings, then those that take over.
fn chain_of(repo: &Repo, agents: &Agents, role: &AgentName) -> Vec<NewRoute> {
    let Some(own) = agents.for_role(role) else { return Vec::new() };
    let mut names = vec![role.clone()];
    names.extend(own.fallback.iter().filter(|name| *name != role).cloned());
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    let settings = names.iter().filter_map(|name| Some((name, agents.for_role(name)?)));
    settings
        .enumerate()
        .map(|(position, (name, settings))| NewRoute {
            agent: role.clone(),
            position: position as u32,
            settings: name.clone(),
            account: name_of(&repo.info.name, settings),
            max_running: own.max_concurrency,
        })
        .collect()
}

/// The account that pays. One that nobody named is known by its adapter and the names of its
/// credentials; a program of the user's own by its command line, in its repository.
pub fn name_of(repo: &RepoName, agent: &AgentSettings) -> String {
    if let Some(name) = &agent.account {
        return name.clone();
    }
    let adapter = agent.adapter.name();
    let own = match agent.adapter {
        Adapter::Command | Adapter::Acp => agent.command.as_ref().map(|argv| argv.join(" ")),
        Adapter::Scripted => agent.script.clone(),
        _ => None,
    };
    let mut name = match own {
        Some(own) => format!("{adapter}:{repo}:{own}"),
        None => adapter.to_owned(),
    };
    let credential = |name: &&String| name.ends_with("_KEY") || name.ends_with("_TOKEN");
    for credential in agent.env.iter().filter(credential) {
        name.push('+');
        name.push_str(credential);
    }
    name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

/// What a run's end shuts its account by, where it does. At a refused login or an overloaded
/// provider the next of the chain takes over only where the role wants that.
pub fn shutter(
    engine: &Engine,
    owned: &Owned,
    outcome: Option<&Outcome>,
    fault: Option<Fault>,
) -> Option<Shutter> {
    if let Some(Outcome::RateLimited { until }) = outcome {
        return Some(Shutter::RateLimited { until: *until });
    }
    let (fault, shutter) = match fault? {
        fault @ Fault::AuthBroken => (fault, Shutter::AuthBroken),
        fault @ Fault::Overloaded => (fault, Shutter::Overloaded),
        _ => return None,
    };
    let config = RepoConfig::load(engine, &owned.repo).ok()?;
    let role = config.settings.agents.for_role(&owned.job.agent)?;
    role.fallback_on.contains(&fault).then_some(shutter)
}

/// What a run's end shuts, and for how long; `None` where it shuts nothing.
pub fn after(engine: &Engine, owned: &Owned, shutter: Shutter) -> Option<(String, Pause)> {
    let route = owned.route.as_ref()?;
    let now = engine.clock.now();
    let channels = engine.store.channels_of(now, owned.task.id).unwrap_or_default();
    let others =
        channels.iter().any(|channel| channel.name != route.account && channel.pause.is_none());
    Some((route.account.clone(), pause(shutter, others, now)?))
}

/// Shuts what a run's end shuts.
pub fn shut(engine: &Engine, account: &str, pause: &Pause) -> Result<(), StoreError> {
    engine.store.shut_channel(engine.clock.now(), ACCOUNT, account, pause)
}

/// Says in the history that a run takes another way than its role's own.
pub fn note_fallback(engine: &Engine, owned: &Owned, route: &Route) -> Result<(), StoreError> {
    if route.position == 0 {
        return Ok(());
    }
    let (agent, settings) = (&owned.job.agent, &route.settings);
    let event = NewEvent {
        kind: EventKind::Note,
        task: Some(owned.task.key.clone()),
        repo: Some(owned.task.repo.clone()),
        run_id: Some(owned.owner.run_id.clone()),
        message: format!(
            "[agents.{settings}] takes over from [agents.{agent}], whose account is paused"
        ),
        data: serde_json::json!({
            "stage": owned.job.stage, "agent": agent, "settings": settings,
            "account": route.account,
        }),
    };
    engine.store.record_events(engine.clock.now(), &[event])
}
