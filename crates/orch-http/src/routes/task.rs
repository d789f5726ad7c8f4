//! `GET /tasks/{key}` and `GET /tasks/{key}/why`.

use axum::Json;
use axum::extract::State;
use orch_api::{TaskDetail, Why};
use orch_core::ids::TaskKey;

use crate::extract::Key;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire;

/// Everything about one task.
pub(super) async fn task(
    State(state): State<AppState>,
    Key(key): Key,
) -> Result<Json<TaskDetail>, ApiError> {
    state.blocking(move |state| detail(state, &key).map(Json)).await
}

/// Why a task stands where it stands.
pub(super) async fn why(
    State(state): State<AppState>,
    Key(key): Key,
) -> Result<Json<Why>, ApiError> {
    state.blocking(move |state| Ok(Json(wire::task::why(state.operator().why(&key)?)))).await
}

fn detail(state: &AppState, key: &TaskKey) -> Result<TaskDetail, ApiError> {
    let operator = state.operator();
    let store = operator.store();
    let task = operator.task(key)?;
    let why = operator.why(key)?;
    let runs = store.runs(task.id)?;
    // Everything else is true while the mirror is being made or its disk is away.
    let (artifacts, artifacts_error) = match operator.artifacts(key) {
        Ok(artifacts) => (artifacts, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    Ok(wire::task::detail(wire::task::Parts {
        why,
        jobs: store.jobs(task.id)?,
        gate_results: store.gate_results(task.id)?,
        llm_calls: store.llm_calls(task.id)?,
        questions: store.questions(task.id)?,
        runs,
        artifacts,
        artifacts_error,
        task,
    }))
}
