//! Looks at a deploy from outside: does it answer, and is it the landed revision (S9).

use std::time::Duration;

use orch_core::ids::Revision;
use orch_core::outcome::Outcome;

use crate::repo_config::RepoConfig;

/// Passes in a row that make a deploy healthy.
const PASSES: u32 = 3;
/// From one look to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// Looks in all before the deploy counts as unhealthy.
const LOOKS: u32 = 30;
/// The longest one look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The outcome that takes the place of the command's success; `None` where all is well or nothing
/// is configured.
pub fn check(config: &RepoConfig, landed: Option<&Revision>) -> Option<Outcome> {
    if let Some(url) = &config.settings.deploy.health_url
        && !healthy(url)
    {
        return Some(Outcome::SuiteRan { exit_code: UNHEALTHY });
    }
    let url = config.settings.deploy.revision_url.as_ref()?;
    let landed = landed?;
    match get(url) {
        Ok(body) if body.contains(landed.as_str()) || body.contains(landed.short()) => None,
        Ok(_) => Some(Outcome::SuiteRan { exit_code: STALE }),
        Err(reason) => Some(Outcome::TransientInfra { reason: format!("{url}: {reason}") }),
    }
}

/// Stands in the artifact's `exit_code` for a deploy that never became healthy.
const UNHEALTHY: i32 = 70;
/// Stands in the artifact's `exit_code` for a deploy that runs another revision.
const STALE: i32 = 71;

fn healthy(url: &str) -> bool {
    let mut passes = 0;
    for look in 0..LOOKS {
        if look > 0 {
            std::thread::sleep(INTERVAL);
        }
        passes = if get(url).is_ok() { passes + 1 } else { 0 };
        if passes == PASSES {
            return true;
        }
    }
    false
}

fn get(url: &str) -> Result<String, String> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
    let mut answer = agent.get(url).call().map_err(|error| error.to_string())?;
    answer
        .body_mut()
        .with_config()
        .limit(64 * 1024)
        .read_to_string()
        .map_err(|error| error.to_string())
}
