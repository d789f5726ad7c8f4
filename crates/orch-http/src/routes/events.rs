//! `GET /events` and `GET /tasks/{key}/events`: a page of the history, or a live stream.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use orch_api::{EventItem, Page};
use orch_core::event::EventKind;
use orch_core::ids::EventId;
use orch_store::EventFilter;
use serde::Deserialize;

use crate::extract::{Key, Query, last_event_id, repo_name, task_key, wants_stream};
use crate::paging::{self, List};
use crate::problem::ApiError;
use crate::sse::{self, Feed, Gone};
use crate::state::AppState;
use crate::wire;

/// The query keys of `GET /events`.
pub(super) const QUERY: &[&str] = &["task", "repo", "kind", "after", "limit", "cursor"];
/// The query keys of `GET /tasks/{key}/events`.
pub(super) const OF_TASK: &[&str] = &["kind", "after", "limit", "cursor"];

/// Events that a stream reads at once.
const BATCH: u32 = 200;

/// Which events are wanted, and which part of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    task: Option<String>,
    repo: Option<String>,
    kind: Option<String>,
    after: Option<i64>,
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The history of everything, oldest first, or what happens from now on.
pub(super) async fn events(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let filter = filter(&wanted)?;
    answer(state, &headers, filter, &wanted).await
}

/// The history of one task, oldest first, or what happens from now on.
pub(super) async fn of_task(
    State(state): State<AppState>,
    Key(key): Key,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let filter = EventFilter { task: Some(key.clone()), ..filter(&wanted)? };
    state.blocking(move |state| Ok(state.operator().task(&key).map(drop)?)).await?;
    answer(state, &headers, filter, &wanted).await
}

fn filter(wanted: &Wanted) -> Result<EventFilter, ApiError> {
    let malformed = |error: ApiError| error.as_malformed();
    let kinds = wanted.kind.iter().flat_map(|kinds| kinds.split(','));
    let kinds = kinds.map(|name| {
        EventKind::by_name(name).ok_or_else(|| {
            let shown: String = name.chars().take(80).collect();
            ApiError::malformed(format!("there is no event kind {shown:?}"))
        })
    });
    Ok(EventFilter {
        task: wanted.task.as_deref().map(task_key).transpose().map_err(malformed)?,
        repo: wanted.repo.as_deref().map(repo_name).transpose().map_err(malformed)?,
        kinds: kinds.collect::<Result<_, _>>()?,
    })
}

async fn answer(
    state: AppState,
    headers: &HeaderMap,
    filter: EventFilter,
    wanted: &Wanted,
) -> Result<Response, ApiError> {
    let limit = paging::limit(wanted.limit)?;
    let cursor = paging::after(List::Events, wanted.cursor.as_deref())?;
    let after = match wanted.after {
        Some(after) if after < 0 => return Err(ApiError::malformed("after begins at 0")),
        after => cursor.or(after),
    };
    if wants_stream(headers) {
        let after = last_event_id(headers)?.or(after);
        return live(&state, filter, after).await;
    }
    state.blocking(move |state| page(state, &filter, after, limit)).await
}

fn page(
    state: &AppState,
    filter: &EventFilter,
    after: Option<i64>,
    limit: u32,
) -> Result<Response, ApiError> {
    let after = EventId(after.unwrap_or_default());
    // One more than asked for says whether there is a further page.
    let mut events = state.operator().store().events(after, filter, limit + 1)?;
    let more = events.len() > limit as usize;
    events.truncate(limit as usize);
    let last = events.last().map(|event| event.id.0).filter(|_| more);
    let page: Page<EventItem> = Page {
        items: events.into_iter().map(wire::event::event).collect(),
        next_cursor: last.map(|id| paging::cursor(List::Events, id)),
    };
    Ok(Json(page).into_response())
}

/// Without a place to resume from, a stream begins with what happens from now on.
async fn live(
    state: &AppState,
    filter: EventFilter,
    after: Option<i64>,
) -> Result<Response, ApiError> {
    let start = match after {
        Some(after) => after,
        None => state.blocking(|state| Ok(state.operator().store().last_event_id()?.0)).await?,
    };
    let fed = state.clone();
    sse::stream(state, start.unsigned_abs(), move |feed| feed_events(fed, filter, start, feed))
}

async fn feed_events(
    state: AppState,
    filter: EventFilter,
    mut after: i64,
    feed: Feed,
) -> Result<(), Gone> {
    let mut news = state.news();
    loop {
        news.mark_unchanged();
        while let Some(last) = feed_batch(&state, &filter, after, &feed).await? {
            after = last;
        }
        tokio::select! {
            told = news.changed() => told.map_err(|_| Gone)?,
            () = feed.closed() => return Err(Gone),
        }
    }
}

/// The number of the last event sent; `None` where there was none.
async fn feed_batch(
    state: &AppState,
    filter: &EventFilter,
    after: i64,
    feed: &Feed,
) -> Result<Option<i64>, Gone> {
    let filter = filter.clone();
    let read = state.blocking(move |state| {
        Ok(state.operator().store().events(EventId(after), &filter, BATCH)?)
    });
    // A stream whose events can't be read ends; its reader connects again.
    let events = read.await.map_err(|_| Gone)?;
    let mut last = None;
    for event in events {
        let (id, kind) = (event.id.0, event.what.kind.name());
        let data = serde_json::to_string(&wire::event::event(event)).map_err(|_| Gone)?;
        feed.send(id.unsigned_abs(), kind, &data).await?;
        last = Some(id);
    }
    Ok(last)
}
