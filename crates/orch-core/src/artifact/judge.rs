//! Judges one file by its name, with the very rules of the gate that reads it.

use super::{ArtifactContent, FrontMatter};
use crate::gate::{analysis, architecture, deploy, development, review, staging, testing};
use crate::verdict::Verdict;

/// What a file is, by the number its name begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactKind {
    /// `01-…`.
    Analysis,
    /// `03-…`.
    AcceptanceCriteria,
    /// `ADR-…`.
    Adr,
    /// `not-needed.md`.
    AdrNotNeeded,
    /// `11-…`.
    Implementation,
    /// `12-…`.
    Review,
    /// `13-…`.
    TestReport,
    /// `15-…`.
    StagingLog,
    /// `16-…`.
    DeployLog,
    /// Every other name: no gate reads it.
    Other,
}

impl ArtifactKind {
    /// Tells the kind by the last part of a path.
    pub fn of(path: &str) -> Self {
        let name = base_name(path);
        if architecture::looks_like_adr(name) {
            return Self::Adr;
        }
        if name == architecture::NOT_NEEDED_NAME {
            return Self::AdrNotNeeded;
        }
        match name.get(..3) {
            Some("01-") => Self::Analysis,
            Some("03-") => Self::AcceptanceCriteria,
            Some("11-") => Self::Implementation,
            Some("12-") => Self::Review,
            Some("13-") => Self::TestReport,
            Some("15-") => Self::StagingLog,
            Some("16-") => Self::DeployLog,
            _ => Self::Other,
        }
    }

    /// The kind in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Analysis => "analysis",
            Self::AcceptanceCriteria => "acceptance criteria",
            Self::Adr => "ADR",
            Self::AdrNotNeeded => "reason for no ADR",
            Self::Implementation => "implementation report",
            Self::Review => "review",
            Self::TestReport => "test report",
            Self::StagingLog => "staging log",
            Self::DeployLog => "deploy log",
            Self::Other => "artifact that no gate reads",
        }
    }
}

/// What one file says, seen alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileJudgement {
    /// What it was taken for.
    pub kind: ArtifactKind,
    /// What its gate would say of it; the revision is not compared.
    pub verdict: Verdict,
}

/// Judges one file. A name that no gate reads passes where its front matter is well-formed.
pub fn judge_file(path: &str, content: &ArtifactContent) -> FileJudgement {
    let name = base_name(path);
    let kind = ArtifactKind::of(path);
    let judged = match kind {
        ArtifactKind::Analysis => analysis::report(name, content, None),
        ArtifactKind::AcceptanceCriteria => analysis::criteria(name, content).map(pass),
        ArtifactKind::Adr => architecture::adr(name, content).map(|adr| pass(adr.line(name))),
        ArtifactKind::AdrNotNeeded => architecture::not_needed(name, content).map(pass),
        ArtifactKind::Implementation => development::report(name, content),
        ArtifactKind::Review => review::report(name, content, None),
        ArtifactKind::TestReport => testing::report(name, content, None),
        ArtifactKind::StagingLog => staging::report(name, content, None),
        ArtifactKind::DeployLog => deploy::report(name, content, None),
        ArtifactKind::Other => match FrontMatter::parse(content) {
            Ok(_) => Ok(pass(format!("{name}: the front matter is well-formed; no gate reads it"))),
            Err(problem) => Err(format!("{name}: {problem}")),
        },
    };
    FileJudgement { kind, verdict: judged.unwrap_or_else(Verdict::refused) }
}

fn pass(reason: String) -> Verdict {
    Verdict::Pass { reasons: vec![reason] }
}

fn base_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
