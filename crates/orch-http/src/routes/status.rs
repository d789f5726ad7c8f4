//! `GET /status`.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use orch_api::{DatabaseReport, NamedSum, StatusReport, TaskCounts};
use orch_store::{LlmFilter, LlmSum, StatusCounts, Store};

use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire;

/// Which service this is and what it has to do.
pub(super) async fn status(State(state): State<AppState>) -> Result<Json<StatusReport>, ApiError> {
    state.blocking(|state| report(state).map(Json)).await
}

fn report(state: &AppState) -> Result<StatusReport, ApiError> {
    let operator = state.operator();
    let store = operator.store();
    let report = operator.report();
    let uptime = state.now().duration_since(report.started_at).as_secs();
    Ok(StatusReport {
        version: report.version.to_owned(),
        revision: state.revision().map(str::to_owned),
        started_at: report.started_at,
        uptime_s: u64::try_from(uptime).unwrap_or_default(),
        instance: report.worker.to_string(),
        host: operator.engine().host.clone(),
        database: DatabaseReport {
            kind: store.kind().name().to_owned(),
            schema_version: store.schema_info()?.version,
        },
        tasks: counts(&store.status_counts()?),
        spent_today: spent_today(store, state.now())?,
        last_event_id: store.last_event_id()?.0,
        reconciled_total: report.reconciled_total,
    })
}

/// By the days of budgets, which are UTC's.
fn spent_today(store: &Store, now: Timestamp) -> Result<Vec<NamedSum>, ApiError> {
    let day = now.as_second().div_euclid(86_400) * 86_400;
    let since = Timestamp::from_second(day).ok();
    let sums = store.llm_sums(&LlmFilter { since, repo: None })?;
    let named =
        |(name, of): &(String, LlmSum)| NamedSum { name: name.clone(), sum: wire::llm::sum(of) };
    Ok(sums.repos.iter().map(named).collect())
}

fn counts(counts: &StatusCounts) -> TaskCounts {
    let by_stage = counts.open.iter().map(|(stage, states)| {
        let states = states.iter().map(|(word, number)| (word.word().to_owned(), *number));
        (stage.to_string(), states.collect())
    });
    TaskCounts {
        open: counts.open.values().flat_map(|states| states.values()).sum(),
        done: counts.done,
        cancelled: counts.cancelled,
        by_stage: by_stage.collect(),
    }
}
