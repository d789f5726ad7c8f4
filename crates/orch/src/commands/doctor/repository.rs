//! What the repository here says: its orch.toml, its pipeline, the channels to its hosts.

use orch_core::remote::SshTarget;
use orch_core::settings::{RepoSettings, ServiceSettings};
use orch_process::ssh::Client;

use super::Check;
use crate::commands::pipeline;
use crate::env::Env;
use crate::settings;

/// The checks of this file; none where no repository is here.
pub fn checks(env: &Env) -> Vec<Check> {
    let file = match settings::nearest_file(env.cwd()) {
        Ok(Some(file)) => file,
        Ok(None) => return vec![Check::ok("orch.toml", "none here")],
        Err(error) => return vec![bad(&error.to_string())],
    };
    let loaded = match settings::repo(env, Some(&file)) {
        Ok(loaded) => loaded,
        Err(error) => return vec![bad(&error.to_string())],
    };
    let pipeline = match pipeline::resolve(env, Some(&file)) {
        Ok(pipeline) => pipeline,
        Err(error) => return vec![bad(&error.to_string())],
    };
    let stages: Vec<&str> = pipeline.stages.iter().map(|stage| stage.name.as_str()).collect();
    let mut checks = vec![Check::ok("orch.toml", format!("valid: {}", stages.join(" → ")))];
    checks.extend(programs(env, &loaded.value));
    checks.extend(super::agents::checks(env, &loaded.value));
    checks.extend(ssh(env, &loaded.value));
    checks.extend(deploy(&loaded.value));
    checks
}

/// What a deploy has to go by; `None` where the repository deploys nothing.
fn deploy(settings: &RepoSettings) -> Option<Check> {
    let deploy = &settings.deploy;
    deploy.command.as_ref()?;
    let sees = deploy.health_url.is_some() || deploy.freshness.is_some();
    if deploy.require_rollback && deploy.rollback_command.is_none() {
        let what = "require_rollback is set and rollback_command is not: nothing will be deployed";
        return Some(Check::fail("deploy", what, "set [deploy] rollback_command"));
    }
    let lacks: Vec<&str> = [
        (deploy.health_url.is_none(), "health_url (nobody sees whether it answers)"),
        (deploy.freshness.is_none(), "revision_url or revision_command (nobody sees what runs)"),
        (deploy.rollback_command.is_none(), "rollback_command (a bad deploy stays)"),
        (sees && deploy.monitor.is_zero(), "monitor (nothing is watched afterwards)"),
    ]
    .into_iter()
    .filter_map(|(lacks, what)| lacks.then_some(what))
    .collect();
    Some(Check::ok(
        "deploy",
        if lacks.is_empty() {
            "health, freshness, rollback and monitor are set".to_owned()
        } else {
            format!("works without {}", lacks.join(", "))
        },
    ))
}

fn bad(error: &str) -> Check {
    Check::fail("orch.toml", error, "correct it; `orch config check` shows every problem")
}

/// Programs that agents are configured to run and that are not on `PATH`.
pub fn missing_programs(env: &Env, settings: &RepoSettings) -> Vec<String> {
    let agents = settings.agents.default.iter().chain(settings.agents.roles.values());
    let mut missing: Vec<String> = agents
        .filter_map(super::agents::program)
        .filter(|program| !program.contains('/') && env.find_program(program).is_none())
        .map(ToOwned::to_owned)
        .collect();
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn programs(env: &Env, settings: &RepoSettings) -> Vec<Check> {
    let check = |program: String| {
        Check::fail(
            "agent",
            format!("{program} is configured and not on PATH"),
            "install it, or correct `command` in [agents.*]",
        )
    };
    missing_programs(env, settings).into_iter().map(check).collect()
}

/// The channels to the hosts of the staging suite and of the deploy.
fn ssh(env: &Env, settings: &RepoSettings) -> Vec<Check> {
    // A service that can't be read is said by the checks of the service.
    let Ok(service) = settings::service(env) else { return Vec::new() };
    let deploy = &settings.deploy;
    let deploys_to = deploy.ssh_target.as_ref().filter(|_| deploy.command.is_some());
    let mut targets: Vec<&SshTarget> =
        settings.staging_runner.host().into_iter().chain(deploys_to).collect();
    targets.dedup();
    targets.into_iter().map(|target| answers(target, &service.value)).collect()
}

fn answers(target: &SshTarget, service: &ServiceSettings) -> Check {
    // A login of its own, and nothing left open behind it.
    let client =
        Client { control: None, ..Client::new(target, &service.ssh, std::path::Path::new("/")) };
    match orch_process::ssh::check(&client, &|| false) {
        Ok(folder) => Check::ok("ssh", format!("{target} answers; runs are kept in {folder}")),
        Err(fault) => {
            let otherwise =
                || format!("make `ssh -o BatchMode=yes {target} true` work for this user");
            let remedy = fault.kind.remedy(target).unwrap_or_else(otherwise);
            Check::fail("ssh", fault.describe(target), remedy)
        }
    }
}
