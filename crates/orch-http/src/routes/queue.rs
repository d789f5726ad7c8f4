//! `GET /queue`.

use axum::Json;
use axum::extract::State;
use orch_api::{
    AlertsReport, BreakersReport, JobCounts, MergeGateReport, QueueReport, ReaperReport,
    SerialGateReport, StagingRunnerReport, TestRunnerReport,
};
use orch_core::ids::StageName;
use orch_core::job::JobState;
use orch_core::settings::Alerts;
use orch_engine::EngineReport;
use orch_store::{MAX_PAGE, OutboxCounts, Page, QueueSnapshot, StatusCounts, TaskFilter, TaskWord};

use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire;

/// The stage of the test-runner.
const TESTING: &str = "testing";
/// The stage of the staging-runner.
const DEPLOY_STAGING: &str = "deploy-staging";

/// What runs, what is next, and what each loop reports of itself.
pub(super) async fn queue(State(state): State<AppState>) -> Result<Json<QueueReport>, ApiError> {
    state.blocking(|state| report(state).map(Json)).await
}

fn report(state: &AppState) -> Result<QueueReport, ApiError> {
    let operator = state.operator();
    let store = operator.store();
    let now = state.now();
    let engine = operator.report();
    let queue = store.queue_snapshot(now)?;
    let counts = store.status_counts()?;
    let lease = operator.engine().settings.lease;
    Ok(QueueReport {
        jobs: JobCounts {
            queued: queue.counts.queued,
            running: queue.counts.running,
            held: queue.counts.held,
        },
        running: queue.running.iter().filter_map(wire::queue::running).collect(),
        next: queue.next.iter().map(wire::queue::next).collect(),
        reaper: reaper(&engine),
        serial_gate: serial_gate(&engine, queue),
        test_runner: test_runner(state, &engine, &counts)?,
        staging_runner: staging_runner(state, &engine, &counts)?,
        merge_gate: MergeGateReport {
            landed: engine.merge_gate.landed,
            rejected: engine.merge_gate.rejected,
            retested: engine.merge_gate.retested,
        },
        channels: store.channels(now)?.into_iter().map(wire::queue::channel).collect(),
        deploys: wire::deploys::deploys(store.deploy_targets()?, store.monitors()?),
        alerts: alerts(&operator.engine().settings.alerts, store.outbox_counts()?),
        breakers: BreakersReport {
            enabled: operator.engine().settings.breaker.enabled,
            paused: store.paused_channels()?.into_iter().map(wire::breakers::paused).collect(),
            causes: store.causes()?.into_iter().map(wire::breakers::cause).collect(),
        },
        workers: store.workers()?.into_iter().map(|w| wire::queue::worker(w, now, lease)).collect(),
    })
}

fn alerts(settings: &Alerts, counts: OutboxCounts) -> AlertsReport {
    AlertsReport {
        enabled: settings.enabled,
        receivers: settings.receivers.iter().map(|receiver| receiver.name().to_owned()).collect(),
        pending: counts.pending,
        delivered: counts.delivered,
        last_delivered_at: counts.last_delivered_at,
        last_error: counts.last_error,
    }
}

fn reaper(engine: &EngineReport) -> ReaperReport {
    ReaperReport {
        last_tick_at: engine.reaper.last_tick_at,
        ticks_total: engine.reaper.ticks_total,
        reaped_total: engine.reaper.reaped_total,
        adopted_total: engine.reaper.adopted_total,
        impossible_queued_total: engine.reaper.impossible_queued_total,
        sanitize_enabled: engine.reaper.sanitize_enabled,
    }
}

fn serial_gate(engine: &EngineReport, queue: QueueSnapshot) -> SerialGateReport {
    SerialGateReport {
        enabled: engine.gate.enabled,
        width: engine.gate.width,
        repos: queue.gates.into_iter().map(wire::queue::gate).collect(),
    }
}

fn test_runner(
    state: &AppState,
    engine: &EngineReport,
    counts: &StatusCounts,
) -> Result<TestRunnerReport, ApiError> {
    let standing = standing(state, counts, TESTING)?;
    Ok(TestRunnerReport {
        enabled: state.runners().testing,
        suite_ran: engine.testing.suite_ran,
        permanent_env: engine.testing.permanent_env,
        transient_infra: engine.testing.transient_infra,
        unknown: engine.testing.unknown,
        cancelled: engine.testing.cancelled,
        deferred: standing.deferred,
        held: standing.held,
    })
}

fn staging_runner(
    state: &AppState,
    engine: &EngineReport,
    counts: &StatusCounts,
) -> Result<StagingRunnerReport, ApiError> {
    let standing = standing(state, counts, DEPLOY_STAGING)?;
    Ok(StagingRunnerReport {
        enabled: state.runners().staging,
        exec_host_side: state.runners().staging_on_host,
        preflight: wire::queue::preflight(&state.operator().engine().channels.all()),
        suite_ran: engine.staging.suite_ran,
        permanent_env: engine.staging.permanent_env,
        transient_infra: engine.staging.transient_infra,
        unknown: engine.staging.unknown,
        cancelled: engine.staging.cancelled,
        deferred: standing.deferred,
        held: standing.held,
    })
}

/// What stands at a stage because of infrastructure.
struct Standing {
    deferred: u64,
    held: u64,
}

/// Only tasks inside the serial gate are looked at one by one, and those are few.
fn standing(app: &AppState, counts: &StatusCounts, stage: &str) -> Result<Standing, ApiError> {
    let Ok(stage) = StageName::new(stage) else { return Ok(Standing { deferred: 0, held: 0 }) };
    let at_stage = counts.open.get(&stage);
    let number = |word| at_stage.and_then(|states| states.get(&word)).copied().unwrap_or_default();
    let held = number(TaskWord::Held);
    if number(TaskWord::Queued) == 0 {
        return Ok(Standing { deferred: 0, held });
    }
    let filter = TaskFilter { stage: Some(stage), state: Some(TaskWord::Queued), repo: None };
    let page = Page { before: None, limit: MAX_PAGE };
    let tasks = app.operator().store().tasks(&filter, page)?;
    let now = app.now();
    let waits = tasks.items.iter().filter(|(_, job)| {
        job.as_ref().is_some_and(|job| {
            job.defers + job.unknowns > 0
                && matches!(job.state, JobState::Queued { available_at, .. } if available_at > now)
        })
    });
    Ok(Standing { deferred: waits.count() as u64, held })
}
