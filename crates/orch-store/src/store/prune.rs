//! What is over goes after its time.

use std::collections::HashMap;

use jiff::Timestamp;
use orch_core::ids::{RunId, TaskId};

use super::Store;
use crate::error::Result;
use crate::ops::prune_tasks::{DueTask, DueTaskCounts, DueTasks, PrunedTasks};
use crate::ops::{prune_records, prune_tasks, run_ends};

impl Store {
    /// Finished tasks that may go, the oldest first, at most `limit`, after the one given.
    pub fn due_tasks(
        &self,
        due: DueTasks,
        after: Option<(Timestamp, TaskId)>,
        limit: u32,
    ) -> Result<Vec<DueTask>> {
        self.read(move |tx| prune_tasks::due(tx, due, after, limit))
    }

    /// How many finished tasks may go, and what belongs to them. It reads all of it.
    pub fn count_due_tasks(&self, due: DueTasks) -> Result<DueTaskCounts> {
        self.read(move |tx| prune_tasks::count_due(tx, due))
    }

    /// Deletes tasks that finished before the moment with their jobs, runs, gate results, events
    /// and idempotency keys, until `max_rows` rows are gone; the same call again goes on. Open
    /// tasks and later ones are left as they are.
    pub fn prune_tasks(
        &self,
        before: Timestamp,
        tasks: &[TaskId],
        max_rows: u32,
    ) -> Result<PrunedTasks> {
        let tasks = tasks.to_vec();
        self.write(move |tx| prune_tasks::prune(tx, before, &tasks, max_rows))
    }

    /// How many events of no task, delivered alerts and silent workers there are from before the
    /// moment.
    pub fn count_due_records(&self, before: Timestamp) -> Result<u64> {
        self.read(move |tx| prune_records::count_due(tx, before))
    }

    /// Deletes events of no task, delivered alerts and silent workers from before the moment, at
    /// most `max_rows`; returns how many went.
    pub fn prune_records(&self, before: Timestamp, max_rows: u32) -> Result<u64> {
        self.write(move |tx| prune_records::prune(tx, before, max_rows))
    }

    /// When each of these runs ended; `None` for one that has not, and no entry for one that is
    /// not known.
    pub fn run_ends(&self, runs: &[RunId]) -> Result<HashMap<RunId, Option<Timestamp>>> {
        let runs = runs.to_vec();
        self.read(move |tx| run_ends::run_ends(tx, &runs))
    }
}
