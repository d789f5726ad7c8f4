//! Tasks.

use orch_core::ids::{Revision, TaskId, TreeId};
use orch_core::pipeline::Pipeline;
use orch_core::task::{Pause, Progress, Task, TaskState, Tested};

use super::Reader;
use crate::engine::Row;
use crate::error::Result;

/// The columns that [`decode`] reads; `t` is the task, `r` its repository.
macro_rules! task_columns {
    () => {
        "t.id, t.key, r.name, t.title, t.body, t.priority, t.pipeline, t.status, t.finished_at, \
         t.finish_reason, t.stage, t.attempts, t.bounces, t.retests, t.head, t.tested_commit, \
         t.tested_tree, t.merged, t.feedback, t.paused_at, t.pause_reason, t.gate_slot, \
         t.created_at, t.updated_at"
    };
}
pub(crate) use task_columns;

/// How many columns those are: what follows them in a joined row is another table's.
pub(crate) const COLUMNS: usize = 24;

pub(crate) fn decode(row: Row) -> Result<Task> {
    let mut row = Reader::new("tasks", row);
    Ok(Task {
        id: TaskId(row.int("id")?),
        key: row.parsed("key")?,
        repo: row.parsed("repository")?,
        title: row.text("title")?,
        body: row.text("body")?,
        priority: row.number("priority")?,
        pipeline: pipeline(&mut row)?,
        state: state(&mut row)?,
        progress: progress(&mut row)?,
        paused: pause(&mut row)?,
        gate_slot: row.opt_number("gate_slot")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}

fn pipeline(row: &mut Reader) -> Result<Pipeline> {
    let pipeline: Pipeline = row.json("pipeline")?;
    if pipeline.stages.is_empty() {
        return Err(row.impossible("pipeline has no stages"));
    }
    Ok(pipeline)
}

fn state(row: &mut Reader) -> Result<TaskState> {
    let status = row.text("status")?;
    let at = row.opt_time("finished_at")?;
    let reason = row.opt_text("finish_reason")?;
    match (status.as_str(), at, reason) {
        ("open", None, None) => Ok(TaskState::Open),
        ("done", Some(at), None) => Ok(TaskState::Done { at }),
        ("cancelled", Some(at), Some(reason)) => Ok(TaskState::Cancelled { at, reason }),
        ("open" | "done" | "cancelled", ..) => {
            Err(row.impossible(format!("status {status} does not fit finished_at, finish_reason")))
        }
        _ => Err(row.impossible(format!("status is {status:?}"))),
    }
}

fn progress(row: &mut Reader) -> Result<Progress> {
    Ok(Progress {
        stage: row.parsed("stage")?,
        attempts: row.number("attempts")?,
        bounces: row.number("bounces")?,
        retests: row.number("retests")?,
        head: row.opt_parsed("head")?,
        tested: tested(row)?,
        merged: row.opt_parsed("merged")?,
        feedback: row.json("feedback")?,
    })
}

fn tested(row: &mut Reader) -> Result<Option<Tested>> {
    let commit: Option<Revision> = row.opt_parsed("tested_commit")?;
    let tree: Option<TreeId> = row.opt_parsed("tested_tree")?;
    match (commit, tree) {
        (None, None) => Ok(None),
        (Some(commit), Some(code_tree)) => Ok(Some(Tested { commit, code_tree })),
        _ => Err(row.impossible("only one of tested_commit, tested_tree is set")),
    }
}

fn pause(row: &mut Reader) -> Result<Option<Pause>> {
    match (row.opt_time("paused_at")?, row.opt_text("pause_reason")?) {
        (Some(at), reason) => Ok(Some(Pause { at, reason })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(row.impossible("pause_reason is set without paused_at")),
    }
}
