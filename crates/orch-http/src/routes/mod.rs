//! The routes: one table, from which the router and the API's description both derive.

mod act;
mod events;
mod freeze;
mod health;
mod llm;
mod openapi;
mod queue;
mod range;
mod repos;
mod run_artifacts;
mod run_log;
mod runs;
mod serial_gate;
mod status;
mod submit;
mod task;
mod tasks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use crate::extract::MAX_BODY;
use crate::guards;
use crate::problem::ApiError;
use crate::state::AppState;

/// One route of the API.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with `{key}` or `{run_id}` for what varies.
    pub path: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The query keys it knows; `None` where any are ignored.
    pub query: Option<&'static [&'static str]>,
    /// The schema of its body; `None` where it has none.
    pub body: Option<&'static str>,
    serve: fn() -> MethodRouter<AppState>,
}

const fn read(
    path: &'static str,
    query: &'static [&'static str],
    summary: &'static str,
    serve: fn() -> MethodRouter<AppState>,
) -> Route {
    Route { method: "GET", path, summary, query: Some(query), body: None, serve }
}

/// Probes add what they like to their address.
const fn probe(
    path: &'static str,
    summary: &'static str,
    serve: fn() -> MethodRouter<AppState>,
) -> Route {
    Route { method: "GET", path, summary, query: None, body: None, serve }
}

const fn change(
    path: &'static str,
    body: &'static str,
    summary: &'static str,
    serve: fn() -> MethodRouter<AppState>,
) -> Route {
    Route { method: "POST", path, summary, query: Some(&[]), body: Some(body), serve }
}

/// Every route of the API.
pub const ROUTES: &[Route] = &[
    probe("/health", "Says that the process serves", || get(health::health)),
    probe("/ready", "Says whether the database answers", || get(health::ready)),
    read("/status", &[], "Which service this is and what it has to do", || get(status::status)),
    read("/queue", &[], "What runs, what is next, what each loop reports", || get(queue::queue)),
    read("/tasks", tasks::QUERY, "Lists tasks, newest first", || get(tasks::tasks)),
    change("/tasks", "NewTask", "Submits a task; honours Idempotency-Key", || post(submit::submit)),
    read("/tasks/{key}", &[], "Everything about one task", || get(task::task)),
    read("/tasks/{key}/why", &[], "Why a task stands where it stands", || get(task::why)),
    read("/tasks/{key}/events", events::OF_TASK, "A task's history, or its live stream", || {
        get(events::of_task)
    }),
    change("/tasks/{key}/cancel", "CancelRequest", "Cancels a task", || post(act::cancel)),
    change("/tasks/{key}/retry", "RetryRequest", "Sets a held or deferred task going", || {
        post(act::retry)
    }),
    change(
        "/causes/{cause}/retry",
        "RetryCauseRequest",
        "Sets all going that a fault holds",
        || post(act::retry_cause),
    ),
    change("/tasks/{key}/approve", "ApproveRequest", "Approves the stage a task waits at", || {
        post(act::approve)
    }),
    change("/tasks/{key}/answer", "AnswerRequest", "Answers a held task and sets it going", || {
        post(act::answer)
    }),
    read("/events", events::QUERY, "The history of everything, or its live stream", || {
        get(events::events)
    }),
    read("/llm/report", llm::QUERY, "What language models were asked for, and its cost", || {
        get(llm::report)
    }),
    read("/runs/{run_id}", &[], "One run", || get(runs::run)),
    read("/runs/{run_id}/log", &[], "A run's log: whole, a range of it, or live", || {
        get(run_log::log)
    }),
    read("/runs/{run_id}/brief", &[], "The brief that a run's agent was given", || {
        get(runs::brief)
    }),
    read("/runs/{run_id}/artifacts", run_artifacts::QUERY, "What a run's gate judged", || {
        get(run_artifacts::list)
    }),
    read("/runs/{run_id}/artifacts/{name}", &[], "One artifact; a / in its name is %2F", || {
        get(run_artifacts::one)
    }),
    change("/serial-gate/pause", "PauseRequest", "Steps a task aside", || post(serial_gate::pause)),
    change("/serial-gate/resume", "ResumeRequest", "Puts a paused task back in its place", || {
        post(serial_gate::resume)
    }),
    change("/serial-gate/freeze", "FreezeRequest", "Lets no task of a repository in", || {
        post(freeze::freeze)
    }),
    change(
        "/serial-gate/unfreeze",
        "UnfreezeRequest",
        "Lets a repository's tasks in again",
        || post(freeze::unfreeze),
    ),
    read("/repos", repos::QUERY, "Lists repositories, by name", || get(repos::repos)),
    change("/repos", "RegisterRepo", "Registers a repository by its checkout", || {
        post(repos::register)
    }),
    probe("/openapi.json", "This description", || get(openapi::openapi)),
];

/// The whole API. Guards stand around it; what it answers is never cached.
pub fn router(state: AppState) -> Router {
    let routes = ROUTES
        .iter()
        .fold(Router::new(), |router, route| router.route(route.path, (route.serve)()));
    routes
        .route_layer(from_fn(guards::query))
        .fallback(async || ApiError::not_found("there is no such route; see /openapi.json"))
        .method_not_allowed_fallback(async || {
            ApiError::wrong_method("the route is there, but not for this method; see Allow")
        })
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(state.clone(), guards::token))
        .layer(from_fn(guards::origin))
        .layer(from_fn_with_state(state.clone(), guards::host))
        .layer(from_fn(guards::answer))
        .with_state(state)
}
