//! The acceptance criteria of a task: a list in Markdown, no verdict.

use super::front_matter::body_of;
use super::{ArtifactContent, ArtifactProblem, markdown};

/// How many criteria a file lists, its front matter left out.
pub(crate) fn criteria_in(content: &ArtifactContent) -> Result<usize, ArtifactProblem> {
    Ok(markdown::list_items(body_of(content.read()?)))
}
