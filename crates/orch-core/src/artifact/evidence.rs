//! The evidence in every verdict artifact that the service itself writes.

use jiff::Timestamp;

use crate::ids::{Revision, RunId, TaskKey, TreeId};

/// What a verdict rests on; written into the front matter beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct EvidenceFields {
    /// The task.
    pub task: TaskKey,
    /// The run that made the artifact.
    pub run_id: RunId,
    /// The revision judged.
    pub commit: Revision,
    /// The tree judged, without artifacts; `None` where nothing compares trees.
    pub code_tree: Option<TreeId>,
    /// When the command was started.
    pub started_at: Timestamp,
    /// How long it ran, in seconds.
    pub duration_s: f64,
    /// The command as configured.
    pub command: String,
    /// What it exited with.
    pub exit_code: i32,
}

impl EvidenceFields {
    /// The fields in their fixed order, for [`render`](super::render).
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = vec![
            ("task", self.task.to_string()),
            ("run_id", self.run_id.to_string()),
            ("commit", self.commit.to_string()),
        ];
        fields.extend(self.code_tree.as_ref().map(|tree| ("code_tree", tree.to_string())));
        fields.extend([
            ("started_at", self.started_at.to_string()),
            ("duration_s", format!("{:.3}", self.duration_s)),
            ("command", self.command.clone()),
            ("exit_code", self.exit_code.to_string()),
        ]);
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}
