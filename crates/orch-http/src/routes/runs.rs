//! `GET /runs/{run_id}` and its brief.

use axum::Json;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use orch_api::RunDetail;

use crate::extract::Run;
use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire;

/// One run.
pub(super) async fn run(
    State(state): State<AppState>,
    Run(run): Run,
) -> Result<Json<RunDetail>, ApiError> {
    state
        .blocking(move |state| Ok(Json(wire::run::run(&state.operator().store().run(&run)?))))
        .await
}

/// The brief that its agent was given.
pub(super) async fn brief(
    State(state): State<AppState>,
    Run(run): Run,
) -> Result<Response, ApiError> {
    let text = state.blocking(move |state| Ok(state.operator().run_brief(&run)?)).await?;
    // The reader is a person or an agent; no browser is to take its markup for its own.
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response())
}
