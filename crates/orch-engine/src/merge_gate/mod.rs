//! The merge gate (S8): rebase on the default branch, guard what a rebase can't see, test again
//! what is not what was tested, push fast-forward with lease. Done again after a crash at any
//! point it comes to the same end, because it looks before it acts.

use orch_core::decide::MergeResult;
use orch_core::ids::Revision;
use orch_core::stage::Gate;
use orch_core::verdict::Finding;
use orch_git::{ConflictHunk, Landing, Mirror, Rebase, Worktree};

use crate::active::Driven;
use crate::engine::Engine;
use crate::repo_config::RepoConfig;
use crate::run::{Halt, Owned, judge, prepare};

/// Lands the task's branch, or says why not.
pub fn land(
    engine: &Engine,
    owned: &Owned,
    driven: &Driven,
    config: &RepoConfig,
) -> Result<MergeResult, Halt> {
    engine.repo_locks.hold(&owned.task.repo, || land_alone(engine, owned, driven, config))
}

fn land_alone(
    engine: &Engine,
    owned: &Owned,
    driven: &Driven,
    config: &RepoConfig,
) -> Result<MergeResult, Halt> {
    let key = &owned.task.key;
    let branch = &owned.repo.info.default_branch;
    let mirror = engine.mirror(&owned.repo)?;
    mirror.fetch()?;
    let gone =
        || Halt::environment(format!("{} has no branch {branch} any more", owned.repo.info.remote));
    let main = mirror.remote_head(branch)?.ok_or_else(gone)?;
    prepare::follow(engine, owned, &mirror)?;
    let worktree = mirror.ensure_worktree(key, &engine.home.worktree(key), &main)?;
    worktree.discard_all()?;
    let head = worktree.head()?;
    if mirror.is_ancestor(&head, &main)? {
        return Ok(landed_before(owned, head));
    }
    let head = match worktree.rebase(&main)? {
        Rebase::UpToDate => head,
        Rebase::Rebased { to, .. } => to,
        Rebase::Conflict { hunks } => {
            worktree.want_start_over()?;
            return Ok(MergeResult::Rejected { findings: conflict(branch, &hunks), head });
        }
    };
    engine.push(owned, &worktree, &head)?;
    let findings = guard(&worktree, &main, &head, config)?;
    if !findings.is_empty() {
        return Ok(MergeResult::Rejected { findings, head });
    }
    if !was_tested(owned, &worktree, &head)? {
        return Ok(MergeResult::NotTested { head });
    }
    push(engine, owned, driven, &mirror, &head, &main)
}

/// The branch adds nothing to the default branch: it landed before a crash could record it. A
/// branch that never had anything to land was stopped by the development gate.
fn landed_before(owned: &Owned, head: Revision) -> MergeResult {
    tracing::info!(task.key = %owned.task.key, revision = %head, "found landed already");
    MergeResult::Landed { commit: head }
}

/// The last look at the claim, then the push: the one act that can't be taken back.
fn push(
    engine: &Engine,
    owned: &Owned,
    driven: &Driven,
    mirror: &Mirror,
    head: &Revision,
    main: &Revision,
) -> Result<MergeResult, Halt> {
    if driven.is_lost() || !engine.owns(&owned.fence())? {
        return Err(Halt::Lost);
    }
    match mirror.push_main(&owned.repo.info.default_branch, head, main)? {
        Landing::Landed | Landing::AlreadyLanded => {
            Ok(MergeResult::Landed { commit: head.clone() })
        }
        Landing::Moved { .. } => Ok(MergeResult::Moved),
    }
}

/// Whether the files at `head` are the files that were tested; asked only where the task's
/// pipeline tests at all.
fn was_tested(owned: &Owned, worktree: &Worktree, head: &Revision) -> Result<bool, Halt> {
    if !owned.task.pipeline.stages.iter().any(|stage| stage.gate == Gate::TestsPassed) {
        return Ok(true);
    }
    match &owned.task.progress.tested {
        Some(tested) => Ok(worktree.code_tree(head)? == tested.code_tree),
        None => Ok(false),
    }
}

/// Guards on the tree as it would land.
fn guard(
    worktree: &Worktree,
    main: &Revision,
    head: &Revision,
    config: &RepoConfig,
) -> Result<Vec<Finding>, Halt> {
    let changed: Vec<String> =
        worktree.changed_paths(main, head)?.into_iter().map(|c| c.path).collect();
    let mut findings = judge::guard(worktree.path(), &changed);
    for path in &changed {
        if let Some(protected) =
            config.settings.merge_gate.protected_paths.iter().find(|p| covers(p, path))
        {
            let title =
                format!("{path} is protected by [merge_gate] protected_paths ({protected})");
            findings.push(Finding::new(title));
        }
    }
    Ok(findings)
}

/// A protected path covers itself and what is below it.
fn covers(protected: &str, path: &str) -> bool {
    let protected = protected.trim_end_matches('/');
    path == protected || path.strip_prefix(protected).is_some_and(|rest| rest.starts_with('/'))
}

fn conflict(branch: &str, hunks: &[ConflictHunk]) -> Vec<Finding> {
    if hunks.is_empty() {
        return vec![Finding::new(format!("the branch conflicts with {branch}"))];
    }
    hunks.iter().map(ConflictHunk::finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protected_path_covers_what_is_below_it_and_no_namesake() {
        let table = [
            ("ci", "ci", true),
            ("ci/", "ci/run", true),
            ("ci", "cider/x", false),
            ("a/b", "a/b/c", true),
            ("a/b", "a", false),
        ];
        for (protected, path, expected) in table {
            assert_eq!(covers(protected, path), expected, "{protected} {path}");
        }
    }
}
