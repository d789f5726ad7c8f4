//! `GET /runs/{run_id}/artifacts` and one of them: the artifacts as the run's gate judged them.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use orch_api::{Page, RunArtifact};
use orch_core::ids::RunId;
use serde::Deserialize;

use crate::extract::{Query, Run};
use crate::paging::{self, List};
use crate::problem::ApiError;
use crate::state::AppState;

/// The query keys.
pub(super) const QUERY: &[&str] = &["limit", "cursor"];

/// Which part of the list is wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A page of a run's artifacts, by name.
pub(super) async fn list(
    State(state): State<AppState>,
    Run(run): Run,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<RunArtifact>>, ApiError> {
    let limit = paging::limit(wanted.limit)? as usize;
    let after = paging::after(List::RunArtifacts, wanted.cursor.as_deref())?.unwrap_or_default();
    let after = usize::try_from(after).unwrap_or(usize::MAX);
    let all = state.blocking(move |state| Ok(state.operator().run_artifacts(&run)?)).await?;
    let reached = after.saturating_add(limit);
    // What was judged does not change, so a place in the list stays what it is.
    let next = (reached < all.len()).then(|| paging::cursor(List::RunArtifacts, reached as i64));
    let items = all.into_iter().skip(after).take(limit);
    let items = items.map(|one| RunArtifact { name: one.name, bytes: one.bytes }).collect();
    Ok(Json(Page { items, next_cursor: next }))
}

/// One artifact.
pub(super) async fn one(
    State(state): State<AppState>,
    Path((run, name)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let run = RunId::new(run).map_err(|error| ApiError::not_found(error.to_string()))?;
    let read = move |state: &AppState| Ok(state.operator().run_artifact(&run, &name)?);
    let bytes = state.blocking(read).await?;
    Ok(([(CONTENT_TYPE, "text/markdown; charset=utf-8")], bytes).into_response())
}
