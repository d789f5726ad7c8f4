//! Where things are: keys are made from parsed ids and from names that were checked, so that no
//! text from outside can lead elsewhere.

use std::fmt;
use std::str::FromStr;

use orch_core::ids::RunId;

/// The key of one object, below the store's own prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// The folder of all runs.
pub(crate) const RUNS: &str = "runs";

impl Key {
    /// A piece of a run's log; pieces count from 0.
    pub fn log_chunk(run: &RunId, chunk: u32) -> Self {
        Self(format!("{RUNS}/{run}/log/{chunk:08}.jsonl"))
    }

    /// The brief that the run's agent was given.
    pub fn brief(run: &RunId) -> Self {
        Self(format!("{RUNS}/{run}/brief.md"))
    }

    /// What the run was to do, without its environment's values.
    pub fn spec(run: &RunId) -> Self {
        Self(format!("{RUNS}/{run}/spec.json"))
    }

    /// How the run ended.
    pub fn exit(run: &RunId) -> Self {
        Self(format!("{RUNS}/{run}/exit.json"))
    }

    /// Written last: says that everything of the run is there.
    pub fn complete(run: &RunId) -> Self {
        Self(format!("{RUNS}/{run}/complete.json"))
    }

    /// One of the task's artifacts, as it was when the run's gate judged it.
    pub fn artifact(run: &RunId, name: &ArtifactName) -> Self {
        Self(format!("{}{name}", artifacts(run)))
    }

    /// Written and removed again by [`crate::Objects::probe`].
    pub(crate) fn probe(name: &str) -> Self {
        Self(format!("probe/{name}"))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The folder of a run's artifacts, `/` at its end.
pub(crate) fn artifacts(run: &RunId) -> String {
    format!("{RUNS}/{run}/artifacts/")
}

/// The name of an artifact in its task's folder: `13-test-report.md` or `06-adr/ADR-001-x.md`.
/// Plain characters, at most one folder deep, as the contract's names are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArtifactName(String);

/// A text that is no artifact's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an artifact's name is letters, digits, '.', '_' and '-', at most one folder deep, such as 13-test-report.md"
)]
pub struct BadArtifactName;

/// The longest part of a name, in bytes: half of what file systems take.
const MAX_PART: usize = 120;

impl FromStr for ArtifactName {
    type Err = BadArtifactName;

    fn from_str(text: &str) -> Result<Self, BadArtifactName> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let part = |part: &str| {
            part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.len() <= MAX_PART
                && part.chars().all(plain)
        };
        let parts = text.split('/').count();
        if parts <= 2 && text.split('/').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadArtifactName)
        }
    }
}

impl ArtifactName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_no_names() {
        for good in ["13-test-report.md", "06-adr/ADR-001-why.md", "a", "a..b"] {
            assert!(good.parse::<ArtifactName>().is_ok(), "{good}");
        }
        let long = "a".repeat(MAX_PART + 1);
        for bad in [
            "", "/", "..", "../x", "a/..", "a/../b", "a/b/c", "/etc", "a//b", ".hidden", "a b",
            "a\n", "é", "a%2e", "a\\b", "a\0", "#1", &long,
        ] {
            assert!(bad.parse::<ArtifactName>().is_err(), "{bad:?}");
        }
    }
}
