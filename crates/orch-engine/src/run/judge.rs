//! Reads a task's artifacts off its worktree and asks the gate.

use std::fs;
use std::io::Read;
use std::path::Path;

use orch_core::artifact::{ArtifactContent, ArtifactSet, MAX_ARTIFACT_BYTES};
use orch_core::gate::{self, BranchEvidence, GateInput, MergeEvidence, guards};
use orch_core::ids::Revision;
use orch_core::pipeline::StageSpec;
use orch_core::verdict::{Finding, Verdict};

use super::{Halt, Owned};
use crate::engine::Engine;

/// Asks the stage's gate; `at_hand` is the revision that the artifacts have to speak of.
pub fn judge(
    engine: &Engine,
    owned: &Owned,
    stage: &StageSpec,
    at_hand: &Revision,
    branch: Option<&BranchEvidence>,
) -> Result<Verdict, Halt> {
    let artifacts =
        read_set(&engine.home.worktree(&owned.task.key).join(owned.task.key.artifact_dir()));
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
    Ok(gate::check(stage.gate, &input))
}

/// Every artifact of a folder, with the path relative to it; one level of folders deep, as the
/// contract's names are.
pub fn read_set(dir: &Path) -> ArtifactSet {
    let mut set = ArtifactSet::default();
    read_into(&mut set, dir, "", 0);
    set
}

/// More artifacts than this in one folder are not an artifact folder.
const MAX_ARTIFACTS: usize = 1_000;

fn read_into(set: &mut ArtifactSet, dir: &Path, prefix: &str, depth: usize) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten().take(MAX_ARTIFACTS) {
        let Some(name) = entry.file_name().to_str().map(|name| format!("{prefix}{name}")) else {
            continue;
        };
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && depth == 0 => {
                read_into(set, &entry.path(), &format!("{name}/"), 1)
            }
            _ => set.insert(name, read_one(&entry.path())),
        }
    }
}

/// One artifact, without following links and without reading more than is allowed.
pub fn read_one(path: &Path) -> ArtifactContent {
    let unreadable =
        |error: std::io::Error| ArtifactContent::Unreadable { reason: error.to_string() };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return ArtifactContent::Absent;
        }
        Err(error) => return unreadable(error),
    };
    if found.is_symlink() {
        return ArtifactContent::Symlink;
    }
    if !found.is_file() {
        return ArtifactContent::NotAFile;
    }
    if found.len() > MAX_ARTIFACT_BYTES as u64 {
        return ArtifactContent::TooLarge { bytes: found.len() };
    }
    let mut bytes = Vec::new();
    let limit = MAX_ARTIFACT_BYTES as u64 + 1;
    match fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        Ok(_) if bytes.len() > MAX_ARTIFACT_BYTES => {
            ArtifactContent::TooLarge { bytes: bytes.len() as u64 }
        }
        Ok(_) => ArtifactContent::Text(bytes),
        Err(error) => unreadable(error),
    }
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
