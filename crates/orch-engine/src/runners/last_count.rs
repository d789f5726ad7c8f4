//! How many tests ran the last time: read from the reports of tasks that have landed, where no task
//! at work can reach them.

use orch_core::artifact::{ArtifactContent, FrontMatter, Value};
use orch_core::ids::Revision;
use orch_git::Worktree;

use super::RunnerKind;
use crate::run::Owned;

/// Reports looked at: those of the newest keys, of which the last one run counts.
const LOOKED_AT: usize = 8;

/// The tests that ran in the last landed report of this kind that the branch has in its history;
/// `None` where none says.
pub fn last_count(
    owned: &Owned,
    kind: RunnerKind,
    worktree: &Worktree,
    base: &Revision,
) -> Option<u64> {
    let mirror = worktree.mirror();
    let main = mirror.remote_head(&owned.repo.info.default_branch).ok()??;
    let landed = mirror.merge_base(&main, base).ok()??;
    let own = owned.task.key.artifact_dir();
    let folder = own.rsplit_once('/')?.0;
    let mut reports: Vec<(u64, String)> = mirror
        .files_under(&landed, folder)
        .ok()?
        .into_iter()
        .filter(|file| !file.path.starts_with(&format!("{own}/")))
        .filter_map(|file| Some((number(&file.path, kind.artifact())?, file.path)))
        .collect();
    reports.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    let read = |path: &str| count(mirror.file_at(&landed, path).ok()??);
    let counts = reports.iter().take(LOOKED_AT).filter_map(|(_, path)| read(path));
    counts.max_by(|one, two| one.0.cmp(&two.0)).map(|(_, tests)| tests)
}

/// The number of the key whose report this is.
fn number(path: &str, name: &str) -> Option<u64> {
    let key = path.strip_suffix(name)?.strip_suffix('/')?.rsplit('/').next()?;
    key.rsplit('-').next()?.parse().ok()
}

/// When a report's suite was started, and how many tests ran.
fn count(bytes: Vec<u8>) -> Option<(jiff::Timestamp, u64)> {
    let front = FrontMatter::parse(&ArtifactContent::Text(bytes)).ok()?;
    let text = |field: &str| front.get(field).and_then(Value::text).map(str::trim);
    let figure = |field: &str| text(field)?.parse::<u64>().ok();
    let ran = figure("tests_passed")?.saturating_add(figure("tests_failed")?);
    Some((text("started_at")?.parse().ok()?, ran))
}
