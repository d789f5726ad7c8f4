//! The whole state, for the independent judge.

use orch_core::audit::State;
use orch_core::job::Job;
use orch_core::serial_gate::GatePolicy;
use orch_core::task::Task;

use super::jobs::select_jobs;
use super::repos;
use crate::engine::{Row, Tx};
use crate::error::{Result, StoreError};
use crate::rows::job;
use crate::rows::repo::Repo;
use crate::rows::task::{self, task_columns};

/// The whole state, as one transaction shows it.
#[derive(Debug, Clone, Default)]
pub struct StateSnapshot {
    /// Every repository.
    pub repos: Vec<Repo>,
    /// Every task.
    pub tasks: Vec<Task>,
    /// Every job.
    pub jobs: Vec<Job>,
    /// Rows that can't be read.
    pub damaged: Vec<StoreError>,
}

impl StateSnapshot {
    /// The part that the judge looks at.
    pub fn into_state(self, gate: GatePolicy) -> State {
        let gate_width = gate.enabled.then_some(gate.width.max(1));
        State { tasks: self.tasks, jobs: self.jobs, gate_width }
    }
}

/// Reads everything.
pub(crate) fn snapshot(tx: &mut dyn Tx) -> Result<StateSnapshot> {
    let mut damaged = Vec::new();
    let repos = repos::repos(tx)?;
    let rows = tx.query(
        concat!(
            "SELECT ",
            task_columns!(),
            " FROM tasks t JOIN repos r ON r.id = t.repo_id ORDER BY t.id"
        ),
        &[],
    )?;
    let tasks = split(rows, task::decode, &mut damaged);
    let rows = tx.query(select_jobs!("ORDER BY j.id"), &[])?;
    let jobs = split(rows, job::decode, &mut damaged);
    Ok(StateSnapshot { repos, tasks, jobs, damaged })
}

fn split<T>(
    rows: Vec<Row>,
    decode: impl Fn(Row) -> Result<T>,
    damaged: &mut Vec<StoreError>,
) -> Vec<T> {
    rows.into_iter().filter_map(|row| decode(row).map_err(|e| damaged.push(e)).ok()).collect()
}
