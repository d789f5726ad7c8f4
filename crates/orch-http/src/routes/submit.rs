//! `POST /tasks`.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use orch_api::NewTask;
use orch_engine::NewTaskRequest;

use crate::extract::{Json, repo_name};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::text;
use crate::wire::task::Gates;

/// Submits a task: 201, or 200 where the same request had been submitted before.
pub(super) async fn submit(
    State(state): State<AppState>,
    headers: HeaderMap,
    Json(new): Json<NewTask>,
) -> Result<Response, ApiError> {
    let key = headers.get("idempotency-key").map(|value| text::idempotency_key(value.as_bytes()));
    let key = key.transpose()?;
    let request = NewTaskRequest {
        repo: new.repo.as_deref().map(repo_name).transpose()?,
        title: new.title,
        body: new.body,
        priority: new.priority,
    };
    state
        .blocking(move |state| {
            let submitted = state.operator().submit(request, key.as_deref())?;
            let status = if submitted.created { StatusCode::CREATED } else { StatusCode::OK };
            let location = format!("/tasks/{}", submitted.task.key);
            let summary = Gates::read(state)?.of(state, &submitted.task.key)?;
            Ok((status, [(LOCATION, location)], axum::Json(summary)).into_response())
        })
        .await
}
