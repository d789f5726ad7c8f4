//! `POST /tasks/{key}/cancel`, `/retry`, `/approve` and `/answer`: each answers with the task as
//! it stands afterwards; and `POST /causes/{cause}/retry`, which answers with those that go on.

use axum::Json;
use axum::extract::State;
use orch_api::{
    AnswerRequest, ApproveRequest, CancelRequest, RetriedCause, RetryCauseRequest, RetryRequest,
    TaskSummary,
};
use orch_core::ids::TaskKey;
use orch_core::money::Raise;
use orch_engine::{OperateError, Operator};

use crate::extract::{Cause, Json as Body, Key, OptionalJson};
use crate::problem::ApiError;
use crate::state::AppState;
use crate::text;
use crate::wire::task::Gates;

type Answer = Result<Json<TaskSummary>, ApiError>;

/// Cancels a task.
pub(super) async fn cancel(
    State(state): State<AppState>,
    Key(key): Key,
    OptionalJson(request): OptionalJson<CancelRequest>,
) -> Answer {
    let reason = text::reason("reason", request.reason)?;
    let reason = reason.unwrap_or_else(|| "no reason given".to_owned());
    act(state, key, move |operator, key| operator.cancel(key, &reason)).await
}

/// Sets a held or deferred task going again.
pub(super) async fn retry(
    State(state): State<AppState>,
    Key(key): Key,
    OptionalJson(request): OptionalJson<RetryRequest>,
) -> Answer {
    let RetryRequest { raise_cost_micros, raise_tokens } = request;
    let raise = Raise {
        cost_micros: text::raise("raise_cost_micros", raise_cost_micros)?,
        tokens: text::raise("raise_tokens", raise_tokens)?,
    };
    act(state, key, move |operator, key| operator.retry(key, raise)).await
}

/// Sets every task going that a fault holds, and ends the pause of its channel.
pub(super) async fn retry_cause(
    State(state): State<AppState>,
    Cause(cause): Cause,
    OptionalJson(RetryCauseRequest {}): OptionalJson<RetryCauseRequest>,
) -> Result<Json<RetriedCause>, ApiError> {
    state
        .blocking(move |state| {
            let going = state.operator().retry_cause(&cause)?;
            let going = going.iter().map(ToString::to_string).collect();
            Ok(Json(RetriedCause { cause: cause.to_string(), going }))
        })
        .await
}

/// Approves the human stage that a task waits at.
pub(super) async fn approve(
    State(state): State<AppState>,
    Key(key): Key,
    OptionalJson(request): OptionalJson<ApproveRequest>,
) -> Answer {
    let by = text::reason("by", request.by)?.unwrap_or_else(|| "an operator".to_owned());
    act(state, key, move |operator, key| operator.approve(key, &by)).await
}

/// Gives a held task advice for its next brief and sets it going.
pub(super) async fn answer(
    State(state): State<AppState>,
    Key(key): Key,
    Body(request): Body<AnswerRequest>,
) -> Answer {
    let text = text::answer(request.text)?;
    act(state, key, move |operator, key| operator.answer(key, &text)).await
}

async fn act(
    state: AppState,
    key: TaskKey,
    wish: impl FnOnce(&Operator, &TaskKey) -> Result<(), OperateError> + Send + 'static,
) -> Answer {
    state
        .blocking(move |state| {
            wish(state.operator(), &key)?;
            Gates::read(state)?.of(state, &key).map(Json)
        })
        .await
}
