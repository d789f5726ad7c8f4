//! The judge: after every step the whole state of the store is put before the independent audit,
//! and then compared with what really happened in the world. It shares no code with the workers.

mod change;
mod git;
mod replay;
mod standing;

use std::collections::BTreeMap;

use orch_core::audit::{State, audit};
use orch_core::ids::{EventId, TaskId};
use orch_core::job::Job;
use orch_core::task::Task;
use orch_core::why::GateView;
use orch_store::{EventFilter, MAX_EVENTS, StoreError};

use crate::world::World;

/// Something that must never be.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Violation {
    /// The law, as one word.
    pub law: String,
    /// What breaks it.
    pub what: String,
}

impl Violation {
    /// A broken law.
    pub fn new(law: &str, what: impl Into<String>) -> Self {
        Self { law: law.to_owned(), what: what.into() }
    }
}

/// The laws that the audit of `orch-core` keeps.
const AUDIT_LAWS: u64 = 12;
/// The laws below that are looked at after every step.
const WORLD_LAWS: u64 = 24;

/// Judges a world step by step.
#[derive(Debug, Default)]
pub struct Judge {
    before: State,
    frozen: Vec<change::Frozen>,
    replay: replay::Replay,
    seen: EventId0,
    /// Laws that were looked at.
    pub checks: u64,
    /// Event lines of the present step, for the transcript.
    pub news: Vec<String>,
}

/// The last event that was read.
#[derive(Debug, Clone, Copy)]
struct EventId0(EventId);

impl Default for EventId0 {
    fn default() -> Self {
        Self(EventId(0))
    }
}

impl Judge {
    /// Judges the state after a step; empty is lawful.
    pub fn judge(&mut self, world: &World) -> Result<Vec<Violation>, StoreError> {
        let snapshot = world.store.snapshot()?;
        let mut found: Vec<Violation> = snapshot
            .damaged
            .iter()
            .map(|error| Violation::new("rows_are_readable", error.to_string()))
            .collect();
        let frozen: Vec<_> = snapshot
            .repos
            .iter()
            .filter_map(|repo| {
                repo.frozen.as_ref().map(|f| (repo.info.name.clone(), f.at, f.reason.clone()))
            })
            .collect();
        let state = snapshot.into_state(world.store.gate_policy());
        found.extend(audit(&state).into_iter().map(|v| Violation::new(v.law, v.what)));
        self.read_events(world)?;
        if found.is_empty() {
            self.replay.compare(&state, &mut found);
            change::judge(world, &self.before, &state, &frozen, &mut found);
            standing::judge(world, &state, &frozen, &mut found);
            git::judge(world, &state, &mut found);
        }
        self.checks += AUDIT_LAWS + WORLD_LAWS;
        self.before = state;
        self.frozen = frozen;
        Ok(found)
    }

    fn read_events(&mut self, world: &World) -> Result<(), StoreError> {
        self.news.clear();
        loop {
            let events = world.store.events(self.seen.0, &EventFilter::default(), MAX_EVENTS)?;
            let more = events.len() >= MAX_EVENTS as usize;
            for event in events {
                self.seen = EventId0(event.id);
                self.replay.hear(&event.what);
                let about = event.what.task.map(|key| format!("{key} ")).unwrap_or_default();
                self.news.push(format!(
                    "  {about}{}: {}",
                    event.what.kind.name(),
                    event.what.message
                ));
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The last event that was recorded.
    pub fn last_event(&self) -> EventId {
        self.seen.0
    }

    /// The state as it was judged last.
    pub fn state(&self) -> &State {
        &self.before
    }
}

impl Judge {
    /// The serial gate of a task's repository, as the task sees it.
    pub fn gate_view(
        &self,
        world: &World,
        task: &Task,
        active: &BTreeMap<TaskId, &Job>,
    ) -> GateView {
        standing::gate_view(world, &self.before, &self.frozen, task, active)
    }
}
