//! What was found on disk, as values.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::ArtifactProblem;
use crate::redact::Masks;

/// The largest artifact that is read: a report for people; whole logs belong to the run's log.
pub const MAX_ARTIFACT_BYTES: usize = 1024 * 1024;

/// What stands at an artifact's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArtifactContent {
    /// A regular file with these bytes.
    Text(Vec<u8>),
    /// Nothing is there.
    Absent,
    /// A symbolic link; it is not followed, because it may point anywhere.
    Symlink,
    /// A file over [`MAX_ARTIFACT_BYTES`]; it was not read.
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// A folder, socket, device or the like.
    NotAFile,
    /// The system refused to read it.
    Unreadable {
        /// The system's words.
        reason: String,
    },
}

impl ArtifactContent {
    /// A file with this text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into().into_bytes())
    }

    /// The text without its byte order mark; whatever is not readable UTF-8 is a problem.
    pub fn read(&self) -> Result<&str, ArtifactProblem> {
        let bytes = match self {
            Self::Text(bytes) => bytes,
            Self::Absent => return Err(ArtifactProblem::Absent),
            Self::Symlink => return Err(ArtifactProblem::Symlink),
            Self::NotAFile => return Err(ArtifactProblem::NotAFile),
            Self::TooLarge { bytes } => return Err(ArtifactProblem::TooLarge { bytes: *bytes }),
            Self::Unreadable { reason } => {
                return Err(ArtifactProblem::Unreadable { reason: reason.clone() });
            }
        };
        if bytes.len() > MAX_ARTIFACT_BYTES {
            return Err(ArtifactProblem::TooLarge { bytes: bytes.len() as u64 });
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| ArtifactProblem::InvalidUtf8 { offset: error.valid_up_to() })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

/// The artifacts of one task, by path relative to its artifact folder, such as
/// `13-test-report.md` or `06-adr/ADR-001-storage.md`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArtifactSet {
    files: BTreeMap<String, ArtifactContent>,
}

impl ArtifactSet {
    /// Puts a file in; one of the same path is replaced.
    pub fn insert(&mut self, path: impl Into<String>, content: ArtifactContent) {
        self.files.insert(path.into(), content);
    }

    /// What stands at a path; [`ArtifactContent::Absent`] where nothing was put in.
    pub fn get(&self, path: &str) -> &ArtifactContent {
        self.files.get(path).unwrap_or(&ArtifactContent::Absent)
    }

    /// Every file, ordered by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ArtifactContent)> {
        self.files.iter().map(|(path, content)| (path.as_str(), content))
    }

    /// The same with its secrets masked.
    #[must_use]
    pub fn masked(mut self, masks: &Masks) -> Self {
        for content in self.files.values_mut() {
            if let ArtifactContent::Text(bytes) = content
                && let Cow::Owned(clean) = masks.bytes(bytes)
            {
                *bytes = clean;
            }
        }
        self
    }

    /// True where nothing was put in.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

impl<P: Into<String>> FromIterator<(P, ArtifactContent)> for ArtifactSet {
    fn from_iter<I: IntoIterator<Item = (P, ArtifactContent)>>(files: I) -> Self {
        Self { files: files.into_iter().map(|(path, content)| (path.into(), content)).collect() }
    }
}
