//! A run's own copy of the artifacts that its gate judged: the branch goes on, this stays.

use std::fs;
use std::io;
use std::path::Path;

use orch_core::artifact::{ArtifactContent, ArtifactSet, MAX_ARTIFACT_BYTES};
use orch_objects::ArtifactName;

/// The folder in the run's directory.
const FOLDER: &str = "artifacts";
/// Artifacts of one run that are kept; tasks have about a dozen.
const MAX_KEPT: usize = 256;
/// Bytes of them in all.
const MAX_BYTES: usize = 16 << 20;

/// Keeps what was judged in the run's directory. Names that are no artifact's and what goes beyond
/// the limits are left out; a copy that can't be written fails nothing.
pub fn keep_artifacts(dir: &Path, judged: &ArtifactSet) {
    let mut room = MAX_BYTES;
    let mut kept = 0;
    for (name, content) in judged.iter() {
        let ArtifactContent::Text(bytes) = content else { continue };
        let Ok(name) = name.parse::<ArtifactName>() else { continue };
        if kept == MAX_KEPT || bytes.len() > room {
            continue;
        }
        if let Err(error) = write(&dir.join(FOLDER).join(name.as_str()), bytes) {
            tracing::warn!(run.dir = %dir.display(), %error, "an artifact's copy could not be kept");
            return;
        }
        kept += 1;
        room -= bytes.len();
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, bytes)
}

/// The artifacts kept in a run's directory with their lengths, by name.
pub fn kept_artifacts(dir: &Path) -> Vec<(ArtifactName, u64)> {
    let set = crate::artifacts::read_set(&dir.join(FOLDER));
    let length = |content: &ArtifactContent| match content {
        ArtifactContent::Text(bytes) => Some(bytes.len() as u64),
        _ => None,
    };
    set.iter()
        .filter_map(|(name, content)| Some((name.parse().ok()?, length(content)?)))
        .take(MAX_KEPT)
        .collect()
}

/// One artifact kept in a run's directory; `None` where there is none.
pub fn kept_artifact(dir: &Path, name: &ArtifactName) -> Option<Vec<u8>> {
    match crate::artifacts::read_one(&dir.join(FOLDER).join(name.as_str())) {
        ArtifactContent::Text(bytes) if bytes.len() <= MAX_ARTIFACT_BYTES => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_judged_is_kept_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let judged: ArtifactSet = [
            ("12-review.md", ArtifactContent::text("fine")),
            ("06-adr/ADR-001-why.md", ArtifactContent::text("because")),
            ("../../escape", ArtifactContent::text("x")),
            (".hidden", ArtifactContent::text("x")),
            ("a b\n", ArtifactContent::text("x")),
            ("link", ArtifactContent::Symlink),
        ]
        .into_iter()
        .collect();
        keep_artifacts(dir.path(), &judged);
        keep_artifacts(dir.path(), &judged);
        let names: Vec<_> =
            kept_artifacts(dir.path()).into_iter().map(|(n, l)| (n.to_string(), l)).collect();
        assert_eq!(
            names,
            [("06-adr/ADR-001-why.md".to_owned(), 7), ("12-review.md".to_owned(), 4)]
        );
        let review = kept_artifact(dir.path(), &"12-review.md".parse().unwrap());
        assert_eq!(review.as_deref(), Some(&b"fine"[..]));
        assert_eq!(kept_artifact(dir.path(), &"13-test-report.md".parse().unwrap()), None);
    }
}
