//! What agents asked, and what they were answered.

use jiff::Timestamp;
use orch_core::ids::{AgentName, RunId, StageName, TaskId};
use orch_core::job::Fence;

use super::guard::{Guard, fence_holds};
use crate::engine::{Tx, params};
use crate::error::Result;
use crate::rows::{Reader, sound};

/// A question of an agent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The run that asked.
    pub run_id: RunId,
    /// The stage.
    pub stage: StageName,
    /// Who asked.
    pub agent: AgentName,
    /// What it asked; from outside, bounded.
    pub question: String,
    /// When.
    pub asked_at: Timestamp,
    /// The answer and its time; `None` while nobody answered.
    pub answer: Option<(Timestamp, String)>,
}

/// Keeps a run's question. Fenced where the run has lost its job; asked again it replaces itself.
pub(crate) fn ask(tx: &mut dyn Tx, now: Timestamp, fence: &Fence, question: &str) -> Result<()> {
    let asked = tx.execute(
        concat!(
            "INSERT INTO questions (run_id, task_id, stage, agent, question, asked_at) \
             SELECT run_id, task_id, stage, agent, $4, $5 FROM jobs WHERE ",
            fence_holds!(),
            " ON CONFLICT (run_id) DO UPDATE SET question = excluded.question"
        ),
        params![fence.job_id, fence.run_epoch, &fence.run_id, question, now],
    )?;
    if asked == 0 { Err(Guard::Run(fence.clone()).fenced()) } else { Ok(()) }
}

/// Keeps the answer to whatever a task asked and nobody answered.
pub(crate) fn answer(tx: &mut dyn Tx, now: Timestamp, task: TaskId, answer: &str) -> Result<()> {
    tx.execute(
        "UPDATE questions SET answer = $2, answered_at = $3 \
         WHERE task_id = $1 AND answer IS NULL",
        params![task, answer, now],
    )?;
    Ok(())
}

/// What was asked for a task, oldest first.
pub(crate) fn of_task(tx: &mut dyn Tx, task: TaskId) -> Result<Vec<Question>> {
    let rows = tx.query(
        "SELECT run_id, stage, agent, question, asked_at, answered_at, answer FROM questions \
         WHERE task_id = $1 ORDER BY asked_at, run_id",
        params![task],
    )?;
    Ok(sound(rows, |row| {
        let mut row = Reader::new("questions", row);
        Ok(Question {
            run_id: row.parsed("run_id")?,
            stage: row.parsed("stage")?,
            agent: row.parsed("agent")?,
            question: row.text("question")?,
            asked_at: row.time("asked_at")?,
            answer: row.opt_time("answered_at")?.zip(row.opt_text("answer")?),
        })
    }))
}
