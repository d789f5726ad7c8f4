//! `GET /tasks`.

use axum::Json;
use axum::extract::State;
use orch_api::{Page, TaskSummary};
use orch_core::ids::{StageName, TaskId};
use orch_store::{TaskFilter, TaskWord};
use serde::Deserialize;

use crate::extract::{Query, repo_name};
use crate::paging::{self, List};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::wire::task::Gates;

/// The query keys.
pub(super) const QUERY: &[&str] = &["repo", "state", "stage", "limit", "cursor"];

/// Which tasks are wanted, and which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    repo: Option<String>,
    state: Option<String>,
    stage: Option<String>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// A page of tasks, newest first.
pub(super) async fn tasks(
    State(state): State<AppState>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<TaskSummary>>, ApiError> {
    let filter = filter(&wanted)?;
    let before = paging::after(List::Tasks, wanted.cursor.as_deref())?.map(TaskId);
    let page = orch_store::Page { before, limit: paging::limit(wanted.limit)? };
    state
        .blocking(move |state| {
            let store = state.operator().store();
            let found = store.tasks(&filter, page)?;
            let gates = Gates::read(state)?;
            let items = found.items.iter();
            Ok(Json(Page {
                items: items.map(|(task, job)| gates.summary(task, job.as_ref())).collect(),
                next_cursor: found.next.map(|id| paging::cursor(List::Tasks, id.0)),
            }))
        })
        .await
}

/// A repository or stage that is not there is an empty list's reason only where it is well-formed.
fn filter(wanted: &Wanted) -> Result<TaskFilter, ApiError> {
    let malformed = |error: ApiError| error.as_malformed();
    let word = match wanted.state.as_deref() {
        None => None,
        Some(word) => Some(TaskWord::by_word(word).ok_or_else(|| {
            let words: Vec<_> = TaskWord::ALL.iter().map(|word| word.word()).collect();
            ApiError::malformed(format!("state is one of {}", words.join(", ")))
        })?),
    };
    let stage = wanted.stage.as_deref().map(StageName::new).transpose();
    Ok(TaskFilter {
        repo: wanted.repo.as_deref().map(repo_name).transpose().map_err(malformed)?,
        state: word,
        stage: stage.map_err(|error| ApiError::malformed(error.to_string()))?,
    })
}
