//! `GET /health` and `GET /ready`.

use axum::Json;
use axum::extract::State;
use orch_api::Health;

use crate::problem::ApiError;
use crate::state::AppState;

/// 200 while the process serves.
pub(super) async fn health() -> Json<Health> {
    Json(Health { status: "ok".to_owned() })
}

/// 200 when the database answers and its schema is one that this program can use; 503 otherwise.
pub(super) async fn ready(State(state): State<AppState>) -> Result<Json<Health>, ApiError> {
    state
        .blocking(|state| {
            let schema = state.operator().store().schema_info().map_err(|error| {
                tracing::warn!(%error, "the database does not answer");
                ApiError::unavailable("the database does not answer")
            })?;
            if schema.usable {
                return Ok(Json(Health { status: "ready".to_owned() }));
            }
            Err(ApiError::unavailable(format!(
                "the database is at schema version {}, this program is at {}",
                schema.version, schema.supported
            )))
        })
        .await
}
