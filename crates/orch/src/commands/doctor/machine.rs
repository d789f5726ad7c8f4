//! What the machine has: git, a shell, coding agents, ways to hold processes together.

use orch_git::Git;
use orch_process::sandbox;

use super::Check;
use crate::commands::init::known_agents;
use crate::env::Env;

/// The checks of this file.
pub fn checks(env: &Env) -> Vec<Check> {
    vec![git(), shell(env), agents(env), confinement()]
}

fn git() -> Check {
    match Git::default().require_supported() {
        Ok((major, minor, patch)) => Check::ok("git", format!("{major}.{minor}.{patch}")),
        Err(error) => {
            let (a, b, _) = orch_git::MINIMUM_VERSION;
            Check::fail("git", error.to_string(), format!("install git {a}.{b} or newer"))
        }
    }
}

fn shell(env: &Env) -> Check {
    match env.find_program("sh") {
        Some(path) => Check::ok("shell", path.display().to_string()),
        None => Check::fail(
            "shell",
            "no sh on PATH",
            "commands given as text run under `sh -c`: put a POSIX shell on PATH",
        ),
    }
}

fn agents(env: &Env) -> Check {
    let (found, missing): (Vec<&str>, Vec<&str>) =
        known_agents().partition(|name| env.find_program(name).is_some());
    if found.is_empty() {
        return Check::warn(
            "agents",
            format!("none of {} on PATH", missing.join(", ")),
            "install one, or use adapter = \"command\" with a program of your own, or adapter = \
             \"scripted\" to rehearse",
        );
    }
    Check::ok("agents", found.join(", "))
}

fn confinement() -> Check {
    let has = sandbox::available();
    match (has.bubblewrap, has.landlock) {
        (Ok(()), Ok(version)) => Check::ok("sandbox", format!("bubblewrap; Landlock {version}")),
        (Ok(()), Err(_)) => Check::ok("sandbox", "bubblewrap"),
        (Err(why), Ok(version)) => Check::warn(
            "sandbox",
            format!("Landlock {version}; bubblewrap: {why}"),
            "bubblewrap hides what Landlock only refuses: install it, or be content with Landlock",
        ),
        (Err(why), Err(nor)) => Check::warn(
            "sandbox",
            format!("none: {why}; {nor}"),
            "install bubblewrap; until then agents run with the service's own rights",
        ),
    }
}
