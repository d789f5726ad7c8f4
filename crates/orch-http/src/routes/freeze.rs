//! `POST /serial-gate/freeze` and `/unfreeze`: one repository; done again they change nothing.

use axum::Json;
use axum::extract::State;
use orch_api::{FreezeRequest, RepoItem, UnfreezeRequest};

use crate::extract::{Json as Body, repo_name};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::text;
use crate::wire;

/// Lets no further task of a repository in.
pub(super) async fn freeze(
    State(state): State<AppState>,
    Body(request): Body<FreezeRequest>,
) -> Result<Json<RepoItem>, ApiError> {
    let repo = repo_name(&request.repo)?;
    let reason = text::reason("reason", request.reason)?;
    state
        .blocking(move |state| {
            state.operator().freeze(&repo, reason.as_deref())?;
            Ok(Json(wire::repo::repo(state.operator().store().repo(&repo)?)))
        })
        .await
}

/// Lets tasks of a repository in again.
pub(super) async fn unfreeze(
    State(state): State<AppState>,
    Body(request): Body<UnfreezeRequest>,
) -> Result<Json<RepoItem>, ApiError> {
    let repo = repo_name(&request.repo)?;
    text::reason("reason", request.reason)?;
    state
        .blocking(move |state| {
            state.operator().unfreeze(&repo)?;
            Ok(Json(wire::repo::repo(state.operator().store().repo(&repo)?)))
        })
        .await
}
