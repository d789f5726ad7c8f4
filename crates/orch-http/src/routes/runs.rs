//! `GET /runs/{run_id}`.

use axum::Json;
use axum::extract::State;
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
