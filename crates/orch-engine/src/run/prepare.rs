//! The workplace of a run: the task's worktree on its branch, clean, with nobody left in it.

use std::path::PathBuf;

use orch_core::ids::{Revision, RunId, WORK_ITEMS_DIR};
use orch_core::pipeline::StageSpec;
use orch_git::{CommitScope, Mirror, Worktree};

use super::{Halt, Owned, rooms, sandbox};
use crate::engine::Engine;

/// Where a run works.
pub struct Workplace {
    /// The worktree.
    pub worktree: Worktree,
    /// Its revision at the beginning of the run.
    pub base: Revision,
    /// The task's artifact folder, absolute.
    pub artifacts: PathBuf,
}

/// Prepares the worktree; does no more on a second call than on the first.
pub fn prepare(engine: &Engine, owned: &Owned, stage: &StageSpec) -> Result<Workplace, Halt> {
    sweep(engine, owned)?;
    let key = &owned.task.key;
    let fresh = owned.task.progress.head.is_none();
    let (mirror, worktree) = engine.repo_locks.hold(&owned.task.repo, || {
        let mirror = engine.mirror(&owned.repo)?;
        // The base of a new branch and of new code is looked up anew; later stages judge what is there.
        if fresh || stage.writes_code {
            mirror.fetch()?;
        }
        follow(engine, owned, &mirror)?;
        let base =
            mirror.remote_head(&owned.repo.info.default_branch)?.ok_or_else(|| no_branch(owned))?;
        let worktree = mirror.ensure_worktree(key, &engine.home.worktree(key), &base)?;
        Ok::<_, Halt>((mirror, worktree))
    })?;
    sandbox::release(engine, owned, &worktree)?;
    settle_leftovers(owned, stage, &worktree)?;
    if stage.writes_code {
        start_over_after_conflict(owned, &mirror, &worktree)?;
    }
    let base = worktree.head()?;
    engine.store.stamp_base(&owned.fence(), &base)?;
    let artifacts = worktree.path().join(key.artifact_dir());
    std::fs::create_dir_all(&artifacts).map_err(|error| {
        Halt::moment(format!("the artifact folder {}: {error}", artifacts.display()))
    })?;
    Ok(Workplace { worktree, base, artifacts })
}

/// Another machine may have worked the task last: its branch goes on from what was recorded.
pub fn follow(engine: &Engine, owned: &Owned, mirror: &Mirror) -> Result<(), Halt> {
    let key = &owned.task.key;
    let Some(recorded) = &owned.task.progress.head else { return Ok(()) };
    if let Some(here) = mirror.branch_head(key)?
        && mirror.has_commit(recorded)?
        && mirror.is_ancestor(recorded, &here)?
    {
        return Ok(());
    }
    mirror.fetch()?;
    if mirror.follow_origin(key, &engine.home.worktree(key))? {
        tracing::info!(task.key = %key, "the branch goes on from where another machine left it");
    }
    if mirror.branch_head(key)?.is_none() {
        let (branch, remote) = (key.branch(), &owned.repo.info.remote);
        let tip = recorded.short();
        return Err(Halt::environment(format!(
            "the branch {branch} ({tip}) is neither in this machine's mirror nor at {remote}"
        )));
    }
    Ok(())
}

fn no_branch(owned: &Owned) -> Halt {
    Halt::environment(format!(
        "{} has no branch {}; push one, or set [repository] default_branch",
        owned.repo.info.remote, owned.repo.info.default_branch
    ))
}

/// Ends whatever an earlier run of this task left behind, before its worktree is used again.
fn sweep(engine: &Engine, owned: &Owned) -> Result<(), Halt> {
    let earlier: std::collections::HashSet<String> = engine
        .store
        .runs(owned.task.id)?
        .into_iter()
        .map(|run| run.run_id.to_string())
        .filter(|id| id != owned.owner.run_id.as_str())
        .collect();
    if !earlier.is_empty() {
        let killed = orch_process::sweep_where(&|mark| earlier.contains(mark));
        if killed > 0 {
            tracing::warn!(task.key = %owned.task.key, processes.killed = killed, "leftovers of earlier runs were ended");
        }
    }
    for run in &earlier {
        if let Ok(run) = RunId::new(run.clone()) {
            rooms::clear(engine, &run);
        }
    }
    Ok(())
}

/// What an interrupted run left uncommitted: code is progress and is kept, the rest is discarded.
fn settle_leftovers(owned: &Owned, stage: &StageSpec, worktree: &Worktree) -> Result<(), Halt> {
    if worktree.is_clean()? {
        return Ok(());
    }
    let whole = damage(worktree)?.is_none();
    if stage.writes_code && whole && worktree.starts_over_from()?.is_none() {
        let message = format!("{}: work of an interrupted run", owned.task.key);
        worktree.commit(&message, CommitScope::All)?;
    }
    worktree.discard_all()?;
    Ok(())
}

/// What is wrong with a worktree that lost most of its files: damaged from outside, or by an agent
/// gone wrong, it is nothing to commit.
pub fn damage(worktree: &Worktree) -> Result<Option<String>, Halt> {
    let gone = worktree.status_paths()?.iter().filter(|entry| entry.is_deleted()).count();
    if gone == 0 {
        return Ok(None);
    }
    let tracked = worktree.tracked_files()?;
    Ok((gone * 2 > tracked)
        .then(|| format!("{gone} of {tracked} files were gone from the worktree")))
}

/// After a merge conflict the branch's work is put once more on top of the default branch, with
/// the conflicts marked in the files for the developer to resolve.
fn start_over_after_conflict(
    owned: &Owned,
    mirror: &Mirror,
    worktree: &Worktree,
) -> Result<(), Halt> {
    if worktree.starts_over_from()?.is_some() {
        let onto =
            mirror.remote_head(&owned.repo.info.default_branch)?.ok_or_else(|| no_branch(owned))?;
        worktree.start_over(&onto)?;
    }
    Ok(())
}

/// Whether a path belongs to the artifacts of any task.
pub fn is_artifact(path: &str) -> bool {
    path.strip_prefix(WORK_ITEMS_DIR).is_some_and(|rest| rest.starts_with('/'))
}
