//! Artifacts: the numbered Markdown files that producers leave, read as hostile input.
//!
//! A file arrives as a value ([`ArtifactContent`]); its verdict fields are the top-level scalars of
//! the YAML front matter ([`FrontMatter`]) and stand nowhere else. What can't be read without doubt
//! is an [`ArtifactProblem`], which every gate turns into a refusal.

mod content;
mod criteria;
mod evidence;
mod findings;
mod front_matter;
mod judge;
pub(crate) mod markdown;
mod problem;
mod render;
mod value;
mod word;
mod yaml;

pub(crate) use criteria::criteria_in;

pub use content::{ArtifactContent, ArtifactSet, MAX_ARTIFACT_BYTES};
pub use evidence::EvidenceFields;
pub use findings::{ReportedFinding, reported_findings};
pub use front_matter::{FrontMatter, MAX_FRONT_MATTER_BYTES};
pub use judge::{ArtifactKind, FileJudgement, judge_file};
pub use problem::ArtifactProblem;
pub use render::{render, render_with};
pub use value::{Scalar, Value};
pub use word::VerdictWord;
