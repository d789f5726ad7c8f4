//! Runs and their logs on the wire.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One execution of a job by a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDetail {
    /// Its id.
    pub run_id: String,
    /// The job it executes.
    pub job_id: i64,
    /// The task it works for.
    pub task: String,
    /// The stage it attempts.
    pub stage: String,
    /// Who works it.
    pub agent: String,
    /// Which attempt at the stage it is, from 1.
    pub attempt: u32,
    /// The worker.
    pub worker_id: String,
    /// Its supervisor's process id; `None` where it was never spawned.
    pub pid: Option<u32>,
    /// When it was claimed.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs.
    pub finished_at: Option<Timestamp>,
    /// From start to end, in milliseconds; `None` while it runs.
    pub duration_ms: Option<i64>,
    /// What its end means, such as `suite_ran` or `transient_infra`; `None` while it runs.
    pub outcome: Option<String>,
    /// The exit code of the work, where it ran to its own end.
    pub exit_code: Option<i32>,
    /// The outcome in words, where there is more to say than its name.
    pub outcome_detail: Option<String>,
    /// The tip of the branch when it began.
    pub base_commit: Option<String>,
    /// The tip of the branch when it had ended.
    pub end_commit: Option<String>,
    /// What it consumed.
    pub usage: Usage,
}

/// What was consumed of a language model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// Cost in millionths of a US dollar.
    pub cost_micros: u64,
}

/// One line of a run's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written.
    pub at: Timestamp,
    /// Where it comes from: `stdout`, `stderr` or `supervisor`.
    pub stream: String,
    /// The line without its end.
    pub text: String,
}

/// An artifact as the run's gate judged it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunArtifact {
    /// Its name in the task's folder, such as `13-test-report.md` or `06-adr/ADR-001-why.md`.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}
