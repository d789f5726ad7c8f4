//! Runs.

use orch_api::{RunDetail, Usage};
use orch_core::outcome::Outcome;
use orch_core::settings::format_size;
use orch_store::Run;

pub(crate) fn run(run: &Run) -> RunDetail {
    let finished_at = run.end.as_ref().map(|(at, _)| *at);
    let outcome = run.end.as_ref().map(|(_, outcome)| outcome);
    RunDetail {
        run_id: run.run_id.to_string(),
        job_id: run.job_id.0,
        task: run.key.to_string(),
        stage: run.stage.to_string(),
        agent: run.agent.to_string(),
        attempt: run.attempt,
        worker_id: run.worker_id.to_string(),
        pid: run.process.as_ref().map(|process| process.pid),
        started_at: run.started_at,
        finished_at,
        duration_ms: duration_ms(run),
        outcome: outcome.map(|outcome| outcome.kind().to_owned()),
        exit_code: outcome.and_then(exit_code),
        outcome_detail: outcome.and_then(detail),
        base_commit: run.base_commit.as_ref().map(ToString::to_string),
        end_commit: run.end_commit.as_ref().map(ToString::to_string),
        usage: usage(run),
    }
}

/// How long a run took; `None` while it runs.
pub(crate) fn duration_ms(run: &Run) -> Option<i64> {
    let (at, _) = run.end.as_ref()?;
    Some((at.as_millisecond() - run.started_at.as_millisecond()).max(0))
}

pub(crate) fn usage(run: &Run) -> Usage {
    Usage {
        input_tokens: run.usage.input_tokens,
        output_tokens: run.usage.output_tokens,
        cost_micros: run.usage.cost_micros,
    }
}

fn exit_code(outcome: &Outcome) -> Option<i32> {
    match outcome {
        Outcome::SuiteRan { exit_code } => Some(*exit_code),
        _ => None,
    }
}

fn detail(outcome: &Outcome) -> Option<String> {
    match outcome {
        Outcome::SuiteRan { .. } | Outcome::Cancelled => None,
        Outcome::TransientInfra { reason }
        | Outcome::PermanentEnv { reason }
        | Outcome::Unproven { reason }
        | Outcome::Unknown { reason }
        | Outcome::OverBudget { reason }
        | Outcome::AgentStuck { reason, .. }
        | Outcome::Lost { reason } => Some(reason.clone()),
        Outcome::NeedsInput { question } => Some(question.clone()),
        Outcome::RateLimited { until } => Some(format!("until {until}")),
        Outcome::TimedOut { limit_ms } => Some(format!("after {limit_ms} ms")),
        Outcome::OverDisk { limit_bytes, .. } => {
            Some(format!("more than {} of the disk", format_size(*limit_bytes)))
        }
        Outcome::Stalled { limit_ms } => Some(format!("silent for {limit_ms} ms")),
    }
}
