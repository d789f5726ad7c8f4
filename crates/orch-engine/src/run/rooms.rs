//! The rooms of one run: a home and a directory for temporary files of its own, readable by nobody
//! else and gone with the run. What a session needs to be resumed is kept elsewhere, per task and
//! role, and linked into the home (S6).

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::{Path, PathBuf};

use orch_agents::Descriptor;
use orch_core::ids::RunId;

use super::{Halt, Owned};
use crate::engine::Engine;
use crate::repo_config::AgentConfig;

/// The rooms of a run; `None` for an agent that has the user's.
#[derive(Debug, Default)]
pub struct Rooms {
    /// Its home.
    pub home: Option<PathBuf>,
    /// Its directory for temporary files.
    pub temp: Option<PathBuf>,
}

/// Where toolchains keep themselves in the user's home, by the variable that names the place: a
/// tool that an agent starts has to find them from another home too.
const TOOLS: [(&str, &str); 5] = [
    ("CARGO_HOME", ".cargo"),
    ("RUSTUP_HOME", ".rustup"),
    ("GOPATH", "go"),
    ("NVM_DIR", ".nvm"),
    ("PYENV_ROOT", ".pyenv"),
];
/// The user's settings of git, which name the author of what an agent commits.
const GIT_SETTINGS: &str = ".gitconfig";

/// Makes the rooms of a run, and names the user's toolchains in its environment. Done again it
/// does no more.
pub fn furnish(
    engine: &Engine,
    owned: &Owned,
    agent: &AgentConfig,
    env: &mut BTreeMap<String, String>,
) -> Result<Rooms, Halt> {
    if !agent.own_home {
        return Ok(Rooms::default());
    }
    let run = engine.home.run(&owned.owner.run_id);
    let (home, temp) = (run.join("home"), run.join("tmp"));
    let failed =
        |error: io::Error| Halt::moment(format!("the run's home {}: {error}", home.display()));
    make(&home).and_then(|()| make(&temp)).map_err(failed)?;
    let descriptor = agent.adapter.descriptor;
    if let Some(place) = descriptor.sessions {
        let kept = kept_sessions(engine, owned, descriptor);
        make(&kept).and_then(|()| link(&kept, &home.join(place))).map_err(failed)?;
    }
    if let Some(user) = env.get("HOME").cloned().map(PathBuf::from) {
        lend(descriptor, env, &user, &home).map_err(failed)?;
    }
    Ok(Rooms { home: Some(home), temp: Some(temp) })
}

/// Where the sessions of a task's role are kept.
pub fn kept_sessions(engine: &Engine, owned: &Owned, descriptor: &Descriptor) -> PathBuf {
    let task = engine.home.task_sessions(&owned.task.key);
    task.join(owned.job.agent.as_str()).join(descriptor.adapter.name())
}

/// What the run needs of the user's home: toolchains, git's settings, and the login of an agent
/// that was given no key.
fn lend(
    descriptor: &Descriptor,
    env: &mut BTreeMap<String, String>,
    user: &Path,
    home: &Path,
) -> io::Result<()> {
    for (variable, place) in TOOLS {
        let path = user.join(place);
        if !env.contains_key(variable)
            && path.is_dir()
            && let Some(path) = path.to_str()
        {
            env.insert(variable.to_owned(), path.to_owned());
        }
    }
    if user.join(GIT_SETTINGS).is_file() {
        link(&user.join(GIT_SETTINGS), &home.join(GIT_SETTINGS))?;
    }
    let keyed = descriptor.keys.iter().any(|key| env.get(*key).is_some_and(|key| !key.is_empty()));
    match descriptor.login_file {
        Some(file) if !keyed && user.join(file).is_file() => {
            link(&user.join(file), &home.join(file))
        }
        _ => Ok(()),
    }
}

/// Writes the files that a program wants to find in its own home.
pub fn put(rooms: &Rooms, files: &[(PathBuf, String)]) -> Result<(), Halt> {
    let Some(home) = &rooms.home else { return Ok(()) };
    for (file, text) in files {
        let path = home.join(file);
        let made = path.parent().map_or(Ok(()), make);
        made.and_then(|()| fs::write(&path, text))
            .map_err(|error| Halt::moment(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}

/// Removes the rooms of a run that has ended.
pub fn clear(engine: &Engine, run: &RunId) {
    let dir = engine.home.run(run);
    for room in [dir.join("home"), dir.join("tmp")] {
        if let Err(error) = orch_git::remove_all(&room) {
            tracing::warn!(run.id = %run, error = crate::error::chain(&error), "a run's room could not be removed; it goes with the run's directory");
        }
    }
}

fn make(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

fn link(to: &Path, at: &Path) -> io::Result<()> {
    if let Some(dir) = at.parent() {
        make(dir)?;
    }
    match symlink(to, at) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}
