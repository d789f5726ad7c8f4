//! Finished tasks: first what they have outside the database, then their rows. Cut off in between,
//! a task is still due and the next round goes on with it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use orch_core::ids::{RepoName, TaskId, TaskKey};
use orch_store::{DueTask, DueTasks, StoreError};

use super::{Progress, ROWS, Round, run_dirs, steps};
use crate::engine::Engine;
use crate::error::chain;

/// Tasks that are looked at together.
const AT_ONCE: u32 = 50;

/// Deletes every task that is due.
pub(super) fn prune(
    engine: &Engine,
    now: Timestamp,
    done: &mut Round,
    progress: Progress<'_>,
) -> Result<(), StoreError> {
    let Some(due) = DueTasks::of(&engine.settings.retention.tasks, now) else { return Ok(()) };
    let mut after = None;
    loop {
        let tasks = engine.store.due_tasks(due, after, AT_ONCE)?;
        let Some(last) = tasks.last() else { return Ok(()) };
        // What can't go now does not stand in the way of what comes after it.
        after = Some((last.finished_at, last.id));
        let ready: Vec<&DueTask> = tasks.iter().filter(|task| let_go(engine, task, done)).collect();
        delete_branches(engine, &ready, done);
        let ids: Vec<TaskId> = ready.iter().map(|task| task.id).collect();
        let went_on = steps(engine, || {
            let step = engine.store.prune_tasks(due.before, &ids, ROWS)?;
            done.tasks += step.tasks;
            done.rows += step.rows;
            progress(done);
            Ok(step.rows >= ROWS.into())
        })?;
        if !went_on {
            return Ok(());
        }
    }
}

/// Removes what a task has on the disk; false where it has to stay for now.
fn let_go(engine: &Engine, task: &DueTask, done: &mut Round) -> bool {
    // A run may outlive its task's end by a moment.
    if task.runs.iter().any(|run| run_dirs::is_live(engine, run)) {
        return false;
    }
    let gone = remove_worktree(engine, task)
        && task.runs.iter().all(|run| run_dirs::remove(engine, run, done));
    done.failed += u64::from(!gone);
    gone
}

/// Once the task's row is gone nobody would know whose the worktree is.
fn remove_worktree(engine: &Engine, task: &DueTask) -> bool {
    if engine.home.worktree(&task.key).symlink_metadata().is_err() {
        return true;
    }
    engine.store.task(&task.key).is_ok_and(|task| engine.remove_worktree(&task))
}

/// Deletes the tasks' branches in this machine's mirrors; those on the remotes are their owners'.
/// A branch that stays costs little and keeps no task.
fn delete_branches(engine: &Engine, tasks: &[&DueTask], done: &mut Round) {
    let mut of_repo: BTreeMap<&RepoName, Vec<&TaskKey>> = BTreeMap::new();
    for task in tasks {
        of_repo.entry(&task.repo).or_default().push(&task.key);
    }
    for (name, keys) in of_repo {
        // A mirror that is not there is not made for this.
        if !engine.home.mirror(name).is_dir() {
            continue;
        }
        let Ok(repo) = engine.store.repo(name) else { continue };
        let deleted = engine
            .repo_locks
            .hold(name, || engine.mirror(&repo)?.delete_branches(keys.iter().copied()));
        match deleted {
            Ok(deleted) => done.branches += deleted,
            Err(error) => {
                tracing::warn!(repository = %name, error = chain(&error), "branches of deleted tasks stay in the mirror");
            }
        }
    }
}
