//! Mirrors are packed once a day: automatic maintenance is off there, so that it never runs in the
//! middle of a task.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use orch_core::retention::maintenance_due;
use orch_store::{Repo, StoreError};

use crate::engine::Engine;
use crate::error::chain;

/// The file in a mirror that says when it was last done; it survives a restart of the service.
const DONE: &str = "orch-maintained";

/// Packs every mirror whose day it is; never raises, the next round looks again.
pub(super) fn maintain(engine: &Engine) {
    let repos = match engine.store.repos() {
        Ok(repos) => repos,
        Err(error) => {
            return tracing::error!(error = chain(&error), "the repositories could not be read");
        }
    };
    for repo in repos {
        if engine.wake.stopping() {
            return;
        }
        let path = engine.home.mirror(&repo.info.name);
        let busy = match is_busy(engine, &repo) {
            Ok(busy) => busy,
            Err(error) => {
                return tracing::error!(error = chain(&error), "running jobs could not be read");
            }
        };
        if path.is_dir() && maintenance_due(engine.clock.now(), last(&path), busy) {
            maintain_one(engine, &repo, &path);
        }
    }
}

fn is_busy(engine: &Engine, repo: &Repo) -> Result<bool, StoreError> {
    let running = engine.store.running(None)?;
    Ok(running.iter().any(|(_, task)| task.repo == repo.info.name))
}

fn maintain_one(engine: &Engine, repo: &Repo, path: &Path) {
    let name = &repo.info.name;
    let done = engine.repo_locks.hold(name, || engine.mirror(repo)?.maintain());
    if let Err(error) = done {
        tracing::warn!(repository = %name, error = chain(&error), "the mirror could not be packed; the next day tries again");
    }
    // Also after a failure: a mirror that can't be packed must not be tried every hour.
    if let Err(error) = fs::write(path.join(DONE), engine.clock.now().to_string()) {
        tracing::warn!(repository = %name, %error, "it could not be noted that the mirror was packed");
    }
}

/// When the mirror was last packed; `None` where nobody noted it.
fn last(path: &Path) -> Option<Timestamp> {
    fs::read_to_string(path.join(DONE)).ok()?.trim().parse().ok()
}
