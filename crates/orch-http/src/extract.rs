//! Reads requests into values; whatever can't be read is a problem document.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use orch_core::breaker::{BadCause, CauseId};
use orch_core::ids::{RepoName, RunId, TaskKey};
use serde::de::DeserializeOwned;

use crate::problem::ApiError;
use crate::state::AppState;

/// The largest body.
pub(crate) const MAX_BODY: usize = 1 << 20;
/// How long a body may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(30);

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body, or none at all: the default.
pub(crate) struct OptionalJson<T>(pub(crate) T);

/// The task key of the path.
pub(crate) struct Key(pub(crate) TaskKey);

/// The name of a shared cause in the path.
pub(crate) struct Cause(pub(crate) CauseId);

/// The run id of the path.
pub(crate) struct Run(pub(crate) RunId);

/// The query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let typed = is_json(request.headers());
        let body = body(request, state).await?;
        if !typed {
            return Err(ApiError::wrong_type("send JSON with Content-Type: application/json"));
        }
        parse(&body).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<AppState> for OptionalJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let typed = is_json(request.headers());
        let body = body(request, state).await?;
        match (body.is_empty(), typed) {
            (true, _) => Ok(Self(T::default())),
            (false, true) => parse(&body).map(Self),
            (false, false) => Err(ApiError::wrong_type(
                "send JSON with Content-Type: application/json, or no body",
            )),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

async fn body(request: Request, state: &AppState) -> Result<Bytes, ApiError> {
    match tokio::time::timeout(ARRIVAL, Bytes::from_request(request, state)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            Err(ApiError::too_large(format!("a body has at most {MAX_BODY} bytes")))
        }
        Ok(Err(_)) => Err(ApiError::malformed("the body broke off")),
        Err(_) => Err(ApiError::too_slow("the body did not arrive in time")),
    }
}

/// Only an object says which value is meant for what; a list would be taken field by field.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    let whole: serde_json::Value =
        serde_json::from_slice(body).map_err(|error| not_json(&error))?;
    if !whole.is_object() {
        return Err(ApiError::invalid("the body has to be a JSON object"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let field = error.path().to_string();
        let error = error.into_inner();
        match error.classify() {
            serde_json::error::Category::Data => {
                ApiError::invalid_field(&field, &error.to_string())
            }
            _ => not_json(&error),
        }
    })
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::malformed(format!("the body is not JSON: {error}"))
}

impl FromRequestParts<AppState> for Key {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        task_key(&segment(parts, state).await?).map(Self)
    }
}

impl FromRequestParts<AppState> for Cause {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let cause = segment(parts, state).await?.parse();
        cause.map(Self).map_err(|error: BadCause| ApiError::not_found(error.to_string()))
    }
}

impl FromRequestParts<AppState> for Run {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let text = segment(parts, state).await?;
        let run = RunId::new(text).map_err(|error| ApiError::not_found(error.to_string()))?;
        Ok(Self(run))
    }
}

/// The one variable piece of the path. What can't even be decoded names nothing that exists.
async fn segment(parts: &mut Parts, state: &AppState) -> Result<String, ApiError> {
    match Path::<String>::from_request_parts(parts, state).await {
        Ok(Path(text)) => Ok(text),
        Err(_) => Err(ApiError::not_found("the path is not UTF-8")),
    }
}

/// A task key; a malformed one names no task.
pub(crate) fn task_key(text: &str) -> Result<TaskKey, ApiError> {
    text.parse().map_err(|error: orch_core::ids::IdError| ApiError::not_found(error.to_string()))
}

/// A repository's name; a malformed one names no repository.
pub(crate) fn repo_name(text: &str) -> Result<RepoName, ApiError> {
    RepoName::new(text).map_err(|error| ApiError::not_found(error.to_string()))
}

impl<T: DeserializeOwned> FromRequestParts<AppState> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => {
                let mut error: &dyn std::error::Error = &rejection;
                while let Some(source) = error.source() {
                    error = source;
                }
                Err(ApiError::malformed(format!("the query: {error}")))
            }
        }
    }
}

/// True where the client wants to be told as things happen.
pub(crate) fn wants_stream(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|media| {
            let media = media.split(';').next().unwrap_or_default().trim();
            media.eq_ignore_ascii_case("text/event-stream")
        })
    })
}

/// Where a stream is taken up again: `Last-Event-ID`, a number that is not negative.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, ApiError> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok()).filter(|n: &i64| *n >= 0);
    number.map(Some).ok_or_else(|| {
        ApiError::malformed("Last-Event-ID has to be a number that this service gave out")
    })
}
