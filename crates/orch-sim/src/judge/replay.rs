//! The events alone, replayed, must tell where every task stands.

use std::collections::BTreeMap;

use orch_core::audit::State;
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::TaskKey;

use super::Violation;

/// What the events have told so far.
#[derive(Debug, Default)]
pub struct Replay {
    tasks: BTreeMap<TaskKey, Told>,
}

/// What they have told of one task.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    stage: String,
    status: &'static str,
    paused: bool,
    merged: bool,
}

impl Replay {
    /// Takes an event in.
    pub fn hear(&mut self, event: &NewEvent) {
        let Some(key) = &event.task else { return };
        let told = self.tasks.entry(key.clone()).or_default();
        match event.kind {
            EventKind::TaskCreated => told.status = "open",
            EventKind::StageEntered => {
                let stage = event.message.strip_prefix("enters ").unwrap_or_default();
                stage.clone_into(&mut told.stage);
            }
            EventKind::TaskDone => (told.status, told.paused) = ("done", false),
            EventKind::TaskCancelled => (told.status, told.paused) = ("cancelled", false),
            EventKind::TaskPaused => told.paused = true,
            EventKind::TaskResumed => told.paused = false,
            EventKind::TaskMerged => told.merged = true,
            _ => {}
        }
    }

    /// Compares what was told with what is.
    pub fn compare(&self, state: &State, found: &mut Vec<Violation>) {
        for task in &state.tasks {
            let is = Told {
                stage: task.progress.stage.to_string(),
                status: task.state.status(),
                paused: task.paused.is_some(),
                merged: task.progress.merged.is_some(),
            };
            if self.tasks.get(&task.key) != Some(&is) {
                let told = self.tasks.get(&task.key);
                let what = format!("{}: the events tell {told:?}, and it is {is:?}", task.key);
                found.push(Violation::new("events_tell_everything", what));
            }
        }
    }
}
