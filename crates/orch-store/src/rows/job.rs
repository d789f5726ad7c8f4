//! Jobs: the column groups of a status, decoded into the one state they may mean.

use jiff::Timestamp;
use orch_core::ids::{JobId, RunId, TaskId, WorkerId};
use orch_core::job::{Hold, HoldKind, Job, JobResult, JobState, Ownership};
use orch_core::process::ProcessIdentity;

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// The columns that [`decode`] reads; `j` is the job, `t` its task, `r` its repository.
macro_rules! job_columns {
    () => {
        "j.id, j.task_id, t.key, r.name, j.stage, j.agent, j.priority, j.run_epoch, j.defers, \
         j.unknowns, j.stops, j.crashes, j.created_at, j.status, j.available_at, j.queued_reason, j.run_id, \
         j.worker_id, j.started_at, j.lease_until, j.pid, j.pid_start, j.boot_id, j.hold_kind, \
         j.hold_reason, j.held_at, j.finished_at, j.finish_reason"
    };
}
pub(crate) use job_columns;

pub(crate) fn decode(row: Row) -> Result<Job> {
    let mut row = Reader::new("jobs", row);
    let id = JobId(row.int("id")?);
    let task_id = TaskId(row.int("task_id")?);
    let key = row.parsed("task")?;
    let repo = row.parsed("repository")?;
    let stage = row.parsed("stage")?;
    let agent = row.parsed("agent")?;
    let priority = row.number("priority")?;
    let run_epoch = row.number("run_epoch")?;
    let defers = row.number("defers")?;
    let unknowns = row.number("unknowns")?;
    let stops = row.number("stops")?;
    let crashes = row.number("crashes")?;
    let created_at = row.time("created_at")?;
    let standing = Groups::read(&mut row)?.state(&row, run_epoch)?;
    Ok(Job {
        id,
        task_id,
        key,
        repo,
        stage,
        agent,
        priority,
        run_epoch,
        defers,
        unknowns,
        stops,
        crashes,
        state: standing,
        created_at,
    })
}

/// The columns that only some statuses have.
struct Groups {
    status: String,
    available_at: Timestamp,
    queued_reason: Option<String>,
    owner: (Option<RunId>, Option<WorkerId>, Option<Timestamp>, Option<Timestamp>),
    process: Option<ProcessIdentity>,
    hold: Option<(Hold, Timestamp)>,
    finish: (Option<Timestamp>, Option<String>),
}

impl Groups {
    fn read(row: &mut Reader) -> Result<Self> {
        Ok(Self {
            status: row.text("status")?,
            available_at: row.time("available_at")?,
            queued_reason: row.opt_text("queued_reason")?,
            owner: (
                row.opt_parsed("run_id")?,
                row.opt_parsed("worker_id")?,
                row.opt_time("started_at")?,
                row.opt_time("lease_until")?,
            ),
            process: row.process()?,
            hold: hold(row)?,
            finish: (row.opt_time("finished_at")?, row.opt_text("finish_reason")?),
        })
    }

    fn state(self, row: &Reader, run_epoch: u64) -> Result<JobState> {
        let status = self.status.as_str();
        let known = ["queued", "running", "succeeded", "failed", "cancelled", "held"];
        if !known.contains(&status) {
            return Err(row.impossible(format!("status is {status:?}")));
        }
        let result = match status {
            "succeeded" => Some(JobResult::Succeeded),
            "failed" => Some(JobResult::Failed),
            "cancelled" => Some(JobResult::Cancelled),
            _ => None,
        };
        match (status, self.owner, self.process, self.hold, self.finish) {
            ("queued", (None, None, None, None), None, None, (None, None)) => {
                Ok(JobState::Queued { available_at: self.available_at, reason: self.queued_reason })
            }
            (
                "running",
                (Some(run_id), Some(worker_id), Some(started_at), Some(lease_until)),
                process,
                None,
                (None, None),
            ) => Ok(JobState::Running(Ownership {
                run_id,
                run_epoch,
                worker_id,
                started_at,
                lease_until,
                process,
            })),
            ("held", (None, None, None, None), None, Some((hold, since)), (None, None)) => {
                Ok(JobState::Held { hold, since })
            }
            (_, (None, None, None, None), None, None, (Some(at), reason)) => {
                result.map(|result| JobState::Finished { result, at, reason }).ok_or_else(|| {
                    row.impossible(format!("status is {status} and finished_at is set"))
                })
            }
            _ => Err(row.impossible(format!(
                "status is {status} and the columns of its owner, hold or end do not fit it"
            ))),
        }
    }
}

fn hold(row: &mut Reader) -> Result<Option<(Hold, Timestamp)>> {
    let kind = row.opt_text("hold_kind")?;
    let reason = row.opt_text("hold_reason")?;
    let since = row.opt_time("held_at")?;
    match (kind, reason, since) {
        (None, None, None) => Ok(None),
        (Some(word), Some(reason), Some(since)) => {
            let kind = HoldKind::by_word(&word)
                .ok_or_else(|| row.impossible(format!("hold_kind is {word:?}")))?;
            Ok(Some((Hold { kind, reason }, since)))
        }
        _ => Err(row.impossible("only a part of hold_kind, hold_reason, held_at is set")),
    }
}
