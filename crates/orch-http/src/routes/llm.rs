//! `GET /llm/report`.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use orch_api::LlmReport;
use orch_store::LlmFilter;
use serde::Deserialize;

use crate::extract::{self, Query};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire;

/// The query keys.
pub(super) const QUERY: &[&str] = &["since", "repo"];

/// What the report is about.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    since: Option<String>,
    repo: Option<String>,
}

/// What starts of language models came to.
pub(super) async fn report(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<LlmReport>, ApiError> {
    let since = wanted.since.map(|text| moment(&text)).transpose()?;
    let repo = wanted.repo.map(|name| extract::repo_name(&name)).transpose()?;
    state
        .blocking(move |state| {
            let store = state.operator().store();
            if let Some(repo) = &repo {
                store.repo(repo)?;
            }
            let filter = LlmFilter { since, repo };
            let (sums, shadows) = (store.llm_sums(&filter)?, store.shadow_sums(&filter)?);
            Ok(Json(wire::llm::report(filter, &sums, &shadows)))
        })
        .await
}

fn moment(text: &str) -> Result<Timestamp, ApiError> {
    text.parse()
        .map_err(|_| ApiError::malformed("since has to be a moment such as 2026-11-25T00:00:00Z"))
}
