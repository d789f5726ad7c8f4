//! Runs.

use jiff::Timestamp;
use orch_core::ids::{AgentName, JobId, Revision, RunId, StageName, TaskId, TaskKey, WorkerId};
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::session::RunSession;

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// One execution of a job by a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its id.
    pub run_id: RunId,
    /// The job it executes.
    pub job_id: JobId,
    /// That job's task.
    pub task_id: TaskId,
    /// That task's key.
    pub key: TaskKey,
    /// The stage it attempts.
    pub stage: StageName,
    /// Who works it.
    pub agent: AgentName,
    /// Which attempt at the stage it is, from 1; what infrastructure ended does not count.
    pub attempt: u32,
    /// The job's epoch at its claim.
    pub run_epoch: u64,
    /// The worker.
    pub worker_id: WorkerId,
    /// Its supervisor; `None` where it was never spawned.
    pub process: Option<ProcessIdentity>,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When and how it ended; `None` while it runs.
    pub end: Option<(Timestamp, Outcome)>,
    /// The tip of the branch when it began.
    pub base_commit: Option<Revision>,
    /// The tip of the branch when it had ended.
    pub end_commit: Option<Revision>,
    /// What it consumed.
    pub usage: Usage,
    /// Where its log is; `None` means the usual place.
    pub log_dir: Option<String>,
    /// The session of the agent's program in which it worked; `None` where it had none, or its name
    /// was not known when the run was lost.
    pub session: Option<RunSession>,
}

/// What a run consumed of a language model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Cost in millionths of a US dollar.
    pub cost_micros: u64,
}

/// The columns that [`decode`] reads; `n` is the run, `t` its task.
macro_rules! run_columns {
    () => {
        "n.run_id, n.job_id, n.task_id, t.key, n.stage, n.agent, n.attempt, n.run_epoch, \
         n.worker_id, n.pid, n.pid_start, n.boot_id, n.started_at, n.finished_at, n.outcome, \
         n.base_commit, n.end_commit, n.input_tokens, n.output_tokens, n.cost_micros, n.log_dir, \
         n.session"
    };
}
pub(crate) use run_columns;

pub(crate) fn decode(row: Row) -> Result<Run> {
    let mut row = Reader::new("runs", row);
    Ok(Run {
        run_id: row.parsed("run_id")?,
        job_id: JobId(row.int("job_id")?),
        task_id: TaskId(row.int("task_id")?),
        key: row.parsed("task")?,
        stage: row.parsed("stage")?,
        agent: row.parsed("agent")?,
        attempt: row.number("attempt")?,
        run_epoch: row.number("run_epoch")?,
        worker_id: row.parsed("worker_id")?,
        process: row.process()?,
        started_at: row.time("started_at")?,
        end: end(&mut row)?,
        base_commit: row.opt_parsed("base_commit")?,
        end_commit: row.opt_parsed("end_commit")?,
        usage: Usage {
            input_tokens: row.number("input_tokens")?,
            output_tokens: row.number("output_tokens")?,
            cost_micros: row.number("cost_micros")?,
        },
        log_dir: row.opt_text("log_dir")?,
        session: row.opt_json("session")?,
    })
}

fn end(row: &mut Reader) -> Result<Option<(Timestamp, Outcome)>> {
    match (row.opt_time("finished_at")?, row.opt_json("outcome")?) {
        (None, None) => Ok(None),
        (Some(at), Some(outcome)) => Ok(Some((at, outcome))),
        _ => Err(row.impossible("only one of finished_at, outcome is set")),
    }
}
