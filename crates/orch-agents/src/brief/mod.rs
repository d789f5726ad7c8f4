//! Briefs: what an agent is told.
//!
//! A role's template says what the work is; a repository can override it. Around it stands a frame
//! that can't be overridden, since no gate passes without what it says: the task, what earlier
//! stages left, why the task came back, what the gate checks. Text from outside stands in data
//! blocks that it can't close, and every part has its bound.

mod asks;
mod bounds;
mod context;
mod data;
mod render;
mod view;

pub use asks::gate_asks;
pub use context::{BriefContext, EarlierArtifact};
pub use render::{BriefError, MAX_BRIEF, default_template, render, render_named};
