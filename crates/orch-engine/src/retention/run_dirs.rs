//! Directories of finished runs: briefs and logs.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;
use orch_core::ids::RunId;
use orch_process::{Observation, RunDir};
use orch_store::{DueTasks, StoreError};

use super::{Progress, Round, steps};
use crate::engine::Engine;

/// Runs whose ends are asked for together.
const AT_ONCE: usize = 500;
/// Directories that one step removes.
const STEP: usize = 20;

/// Removes every directory that is due by the rule for runs.
pub(super) fn prune(
    engine: &Engine,
    now: Timestamp,
    done: &mut Round,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    let due = due(engine, now, None)?;
    let mut rest = due.chunks(STEP);
    let step = || {
        for run in rest.next().unwrap_or_default() {
            if !is_live(engine, run) && !remove(engine, run, done) {
                done.failed += 1;
            }
        }
        progress(done);
        Ok(rest.len() > 0)
    };
    if due.is_empty() { Ok(()) } else { steps(engine, step).map(drop) }
}

/// The runs whose directories are due: by the rule for runs and, where tasks are given, with
/// their tasks.
pub(super) fn due(
    engine: &Engine,
    now: Timestamp,
    tasks: Option<DueTasks>,
) -> Result<Vec<RunId>, StoreError> {
    // Read before the records: a run's record is there before its directory is.
    let found = runs_on_disk(&engine.home.path().join("runs"));
    let mut ended = Vec::new();
    for some in found.chunks(AT_ONCE) {
        let known = engine.store.run_ends(some)?;
        for run in some {
            let end = match known.get(run) {
                Some(end) => *end,
                // Its task is gone, or the database is an older copy.
                None => last_change(&engine.home.run(run)),
            };
            ended.extend(end.map(|end| (end, run.clone())));
        }
    }
    let mut due: HashSet<RunId> =
        engine.settings.retention.runs.due(now, ended).into_iter().map(|(_, run)| run).collect();
    if let Some(tasks) = tasks {
        let on_disk: HashSet<RunId> = found.into_iter().collect();
        let mut after = None;
        loop {
            let some = engine.store.due_tasks(tasks, after, AT_ONCE as u32)?;
            let Some(last) = some.last() else { break };
            after = Some((last.finished_at, last.id));
            due.extend(some.into_iter().flat_map(|task| task.runs).filter(|r| on_disk.contains(r)));
        }
    }
    let mut due: Vec<RunId> = due.into_iter().filter(|run| !is_live(engine, run)).collect();
    due.sort_unstable();
    Ok(due)
}

/// Whether somebody drives the run, or it lives on by itself.
pub(super) fn is_live(engine: &Engine, run: &RunId) -> bool {
    let seen = || orch_process::observe(&RunDir::new(engine.home.run(run)));
    engine.active.contains(run) || matches!(seen(), Observation::Running(_) | Observation::Starting)
}

/// Removes a run's directory; true where it is gone now.
pub(super) fn remove(engine: &Engine, run: &RunId, done: &mut Round) -> bool {
    let path = engine.home.run(run);
    let bytes = size(&path);
    match fs::remove_dir_all(&path) {
        Ok(()) => {
            done.run_dirs += 1;
            done.bytes += bytes;
            true
        }
        Err(error) if error.kind() == ErrorKind::NotFound => true,
        Err(error) => {
            tracing::warn!(run.dir = %path.display(), %error, "a run's directory could not be removed; the next round tries again");
            false
        }
    }
}

/// The bytes of the files in a directory; what can't be read counts as nothing.
pub(super) fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

fn runs_on_disk(runs: &Path) -> Vec<RunId> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    entries.filter_map(|entry| RunId::new(entry.file_name().into_string().ok()?).ok()).collect()
}

fn last_change(dir: &Path) -> Option<Timestamp> {
    Timestamp::try_from(dir.symlink_metadata().ok()?.modified().ok()?).ok()
}
