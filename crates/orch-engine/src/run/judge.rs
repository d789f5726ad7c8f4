//! Reads a task's artifacts off its worktree and asks the gate.

use std::fs;
use std::path::Path;

use orch_core::gate::{self, BranchEvidence, GateInput, MergeEvidence, guards};
use orch_core::ids::Revision;
use orch_core::pipeline::StageSpec;
use orch_core::verdict::{Finding, Verdict};

use super::{Halt, Owned};
use crate::artifacts::read_set;
use crate::engine::Engine;
use crate::publish;
use crate::repo_config::RepoConfig;

/// Asks the stage's gate; `at_hand` is the revision that the artifacts have to speak of.
pub fn judge(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    config: &RepoConfig,
    at_hand: &Revision,
    branch: Option<&BranchEvidence>,
) -> Verdict {
    let folder = engine.home.worktree(&owned.task.key).join(owned.task.key.artifact_dir());
    let artifacts = read_set(&folder).masked(&engine.masks(&config.settings.redact));
    publish::keep_artifacts(&engine.home.run(&owned.owner.run_id), &artifacts);
    let merged = owned
        .task
        .progress
        .merged
        .clone()
        .map(|landed| MergeEvidence { landed, branch: owned.repo.info.default_branch.clone() });
    let input = GateInput {
        artifacts: &artifacts,
        at_hand: Some(at_hand),
        branch,
        merged: merged.as_ref(),
        approval: None,
    };
    gate::check(stage.gate, &input)
}

/// Writes one of the service's own artifacts.
pub fn write(dir: &Path, name: &str, text: &str) -> Result<(), Halt> {
    let path = dir.join(name);
    let failed =
        |error: std::io::Error| Halt::moment(format!("the artifact {}: {error}", path.display()));
    fs::create_dir_all(dir).map_err(failed)?;
    // A link left by an agent must not lead the service's own writing elsewhere.
    if fs::symlink_metadata(&path).is_ok_and(|found| !found.is_file()) {
        fs::remove_file(&path).map_err(failed)?;
    }
    fs::write(&path, text).map_err(failed)
}

/// Files larger than this are not looked into for leaked marks.
const MAX_GUARDED: u64 = 2 * 1024 * 1024;

/// What the guards find in the changed files of a worktree.
pub fn guard(root: &Path, changed: &[String]) -> Vec<Finding> {
    changed
        .iter()
        .filter_map(|path| {
            let full = root.join(path);
            let found = fs::symlink_metadata(&full).ok()?;
            (found.is_file() && found.len() <= MAX_GUARDED).then_some(())?;
            Some(guards::scan(path, &fs::read(&full).ok()?))
        })
        .flatten()
        .collect()
}
