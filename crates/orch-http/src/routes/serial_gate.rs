//! `POST /serial-gate/pause` and `/resume`: one task; done again they change nothing.

use axum::Json;
use axum::extract::State;
use orch_api::{PauseRequest, ResumeRequest, TaskSummary};

use crate::extract::{Json as Body, task_key};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::text;
use crate::wire::task::Gates;

/// Steps a task aside.
pub(super) async fn pause(
    State(state): State<AppState>,
    Body(request): Body<PauseRequest>,
) -> Result<Json<TaskSummary>, ApiError> {
    let key = task_key(&request.task)?;
    let reason = text::reason("reason", request.reason)?;
    state
        .blocking(move |state| {
            state.operator().pause(&key, reason.as_deref())?;
            Gates::read(state)?.of(state, &key).map(Json)
        })
        .await
}

/// Puts a paused task back in its place.
pub(super) async fn resume(
    State(state): State<AppState>,
    Body(request): Body<ResumeRequest>,
) -> Result<Json<TaskSummary>, ApiError> {
    let key = task_key(&request.task)?;
    text::reason("reason", request.reason)?;
    state
        .blocking(move |state| {
            state.operator().resume(&key)?;
            Gates::read(state)?.of(state, &key).map(Json)
        })
        .await
}
