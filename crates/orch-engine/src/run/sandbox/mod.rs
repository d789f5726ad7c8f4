//! Confines a run (S6): what it may reach is put together here, `orch-process` enforces it. Agents
//! are confined, and suites that run what agents wrote; staging and deploy are the user's own
//! commands and are not.

mod paths;

use orch_core::settings::{NetworkPolicy, SandboxProfile};
use orch_git::TakenBack;
use orch_process::sandbox::{Available, Confinement, Enforcer, Execute, Network};

use self::paths::Paths;
use super::prepare::Workplace;
use super::work::Work;
use super::{Halt, Owned};
use crate::engine::Engine;
use crate::repo_config::RepoConfig;
use crate::runners::RunnerKind;

/// Variables that lead to what a confined run must not reach: keys that others hold for it.
const LEADING_OUT: [&str; 2] = ["SSH_AUTH_SOCK", "XDG_RUNTIME_DIR"];

/// The work, confined as the repository's settings say. A sandbox that is wanted and can't be had
/// is an error: nothing runs unconfined in its place.
pub fn confine(
    engine: &Engine,
    owned: &Owned,
    config: &RepoConfig,
    place: &Workplace,
    mut work: Work,
) -> Result<Work, Halt> {
    let confined = match RunnerKind::by_name(&owned.job.agent) {
        None | Some(RunnerKind::Test) => true,
        Some(RunnerKind::Staging | RunnerKind::Deploy) => false,
    };
    let settings = &config.settings.sandbox;
    if !confined || settings.profile == SandboxProfile::None {
        return Ok(work);
    }
    let enforcer = choose(settings.profile, &engine.sandboxes()).map_err(Halt::environment)?;
    let lent = engine.home.lent(&owned.task.key);
    place.worktree.lend(&lent, &owned.repo.info.default_branch)?;
    let paths = Paths::of(engine, owned, place, settings, &work)
        .map_err(|error| Halt::moment(format!("the run's folders: {error}")))?;
    work.env.retain(|name, _| !LEADING_OUT.contains(&name.as_str()));
    work.env.extend(paths.environment);
    let network = match &settings.network {
        NetworkPolicy::On => Network::On,
        NetworkPolicy::Off => Network::Off,
        NetworkPolicy::Only(hosts) => {
            Network::Only(hosts.iter().filter_map(|host| host.parse().ok()).collect())
        }
    };
    let execute = Execute {
        enforcer,
        plan: Confinement {
            writable: paths.writable,
            readable: paths.readable,
            hidden: paths.hidden,
            tmp: paths.tmp,
            network,
        },
        cwd: place.worktree.path().to_owned(),
        argv: work.argv,
        orch: engine.program.clone(),
    };
    let file = engine.home.run(&owned.owner.run_id).join("sandbox.json");
    execute
        .write(&file)
        .map_err(|error| Halt::moment(format!("the sandbox's plan {}: {error}", file.display())))?;
    work.argv = [&engine.program, std::path::Path::new("sandbox-exec"), &file]
        .map(|word| word.to_string_lossy().into_owned())
        .into();
    Ok(work)
}

/// What enforces a profile on a machine that has this.
fn choose(profile: SandboxProfile, has: &Available) -> Result<Enforcer, String> {
    let bubblewrap = has.bubblewrap.clone().map(|()| Enforcer::Bubblewrap);
    let landlock = has.landlock.clone().map(|_| Enforcer::Landlock);
    match profile {
        SandboxProfile::Bubblewrap => {
            bubblewrap.map_err(|why| format!("[sandbox] profile = \"bubblewrap\": {why}"))
        }
        SandboxProfile::Landlock => {
            landlock.map_err(|why| format!("[sandbox] profile = \"landlock\": {why}"))
        }
        SandboxProfile::Auto | SandboxProfile::None => {
            bubblewrap.or_else(|no| landlock.map_err(|nor| (no, nor))).map_err(|(no, nor)| {
                format!("[sandbox] profile = \"auto\", and this machine has none: {no}; {nor}")
            })
        }
    }
}

/// Takes over what a confined run committed; does nothing after one that was not confined.
pub fn release(engine: &Engine, owned: &Owned, worktree: &orch_git::Worktree) -> Result<(), Halt> {
    match worktree.take_back(&engine.home.lent(&owned.task.key))? {
        TakenBack::Refused(why) => {
            tracing::warn!(task.key = %owned.task.key, run.id = %owned.owner.run_id, why, "commits of a confined run were not taken over; its files were");
        }
        TakenBack::Unchanged | TakenBack::Moved(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wanted_sandbox_is_had_or_refused() {
        use SandboxProfile::{Auto, Bubblewrap, Landlock};
        let has = |bubblewrap: bool, landlock: bool| Available {
            bubblewrap: bubblewrap.then_some(()).ok_or_else(|| "no bwrap".to_owned()),
            landlock: landlock.then_some(6).ok_or_else(|| "old kernel".to_owned()),
        };
        for (profile, has, chosen) in [
            (Auto, has(true, true), Some(Enforcer::Bubblewrap)),
            (Auto, has(false, true), Some(Enforcer::Landlock)),
            (Auto, has(false, false), None),
            (Bubblewrap, has(false, true), None),
            (Landlock, has(true, false), None),
            (Landlock, has(true, true), Some(Enforcer::Landlock)),
        ] {
            assert_eq!(choose(profile, &has).ok(), chosen, "{profile:?} {has:?}");
        }
    }
}
