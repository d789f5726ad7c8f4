//! `GET /repos` and `POST /repos`.

use std::path::PathBuf;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use orch_api::{Page, RegisterRepo, RepoItem};
use orch_engine::RegisterRequest;
use serde::Deserialize;

use crate::extract::{Json as Body, Query};
use crate::paging::{self, List};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire;

/// The query keys.
pub(super) const QUERY: &[&str] = &["limit", "cursor"];

/// Which part of the list is wanted.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A page of repositories, oldest registration first within the page's part of the list.
pub(super) async fn repos(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<RepoItem>>, ApiError> {
    let limit = paging::limit(wanted.limit)? as usize;
    let after = paging::after(List::Repos, wanted.cursor.as_deref())?.unwrap_or_default();
    state
        .blocking(move |state| {
            let mut repos = state.operator().store().repos()?;
            // By row and not by name: a name registered meanwhile must not shift the pages.
            repos.sort_by_key(|repo| repo.id);
            repos.retain(|repo| repo.id.0 > after);
            let more = repos.len() > limit;
            repos.truncate(limit);
            let last = repos.last().map(|repo| repo.id.0).filter(|_| more);
            Ok(Json(Page {
                items: repos.into_iter().map(wire::repo::repo).collect(),
                next_cursor: last.map(|id| paging::cursor(List::Repos, id)),
            }))
        })
        .await
}

/// Registers a repository by its checkout: 201 where that changed something, else 200.
pub(super) async fn register(
    State(state): State<AppState>,
    Body(request): Body<RegisterRepo>,
) -> Result<(StatusCode, Json<RepoItem>), ApiError> {
    let checkout = PathBuf::from(&request.checkout);
    if !checkout.is_absolute() || request.checkout.contains('\0') {
        return Err(ApiError::invalid(
            "checkout has to be an absolute path on the service's machine",
        ));
    }
    if request.remote.as_deref().is_some_and(suspicious) {
        return Err(ApiError::invalid("remote has to be a URL or a path"));
    }
    let request = RegisterRequest { checkout, remote: request.remote };
    state
        .blocking(move |state| {
            let (repo, changed) = state.operator().register(&request)?;
            let status = if changed { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(wire::repo::repo(repo))))
        })
        .await
}

/// What git would take for an option or for a helper program.
fn suspicious(remote: &str) -> bool {
    remote.is_empty()
        || remote.starts_with('-')
        || remote.contains("::")
        || remote.chars().any(char::is_control)
}
