//! Every error of the API as a problem document: the one place where errors become statuses.

use axum::http::header::{ALLOW, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use orch_api::{FieldError, PROBLEM_JSON, Problem};
use orch_engine::OperateError;
use orch_store::StoreError;

/// An error on its way out.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    problem: Box<Problem>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(kind, title, status.as_u16(), detail)), header: None }
    }

    fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        self.header = HeaderValue::from_str(value).ok().map(|value| (name, value));
        self
    }

    /// 400: it can't be understood at all.
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request is malformed", detail)
    }

    /// 401: it does not show who asks.
    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The token is missing", detail)
            .with_header(WWW_AUTHENTICATE, "Bearer")
    }

    /// 403: it comes from where requests are not taken from.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The request is not taken", detail)
    }

    /// 404: there is no such thing.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is no such thing", detail)
    }

    /// 405: not in this way.
    pub(crate) fn wrong_method(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong-method", "Wrong method", detail)
    }

    /// 408: it did not come to its end in time.
    pub(crate) fn too_slow(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", "The request took too long", detail)
    }

    /// 409: the state of the thing does not allow it.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "conflict", "The present state does not allow it", detail)
    }

    /// 413: too large.
    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large", detail)
    }

    /// 415: not in this form.
    pub(crate) fn wrong_type(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-type", "Wrong content type", detail)
    }

    /// 416: nothing of the log lies in that range; `length` is the log's.
    pub(crate) fn no_such_range(length: u64) -> Self {
        let detail = format!("the log has {length} bytes; ask for a range within them");
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, "no-such-range", "Nothing is there", detail)
            .with_header(CONTENT_RANGE, &format!("bytes */{length}"))
    }

    /// 422: understood, and not acceptable.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid", detail)
    }

    /// 422 for one field of a body; `.` is the body itself.
    pub(crate) fn invalid_field(field: &str, what: &str) -> Self {
        if field == "." {
            return Self::invalid(format!("the body: {what}"));
        }
        let mut error = Self::invalid(format!("{field}: {what}"));
        let detail = what.to_owned();
        error.problem.errors.push(FieldError { field: Some(field.to_owned()), detail });
        error
    }

    /// 500: our own fault; what it was stands in the log.
    pub(crate) fn internal() -> Self {
        let detail = "the service failed; its log says how";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Internal fault", detail)
    }

    /// 503: not at the moment.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not at the moment", detail)
            .with_header(RETRY_AFTER, "1")
    }

    /// An error that something underneath answered with; only its status is known.
    pub(crate) fn bare(status: StatusCode) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        let detail = "the request could not be served";
        Self::new(status, &format!("status-{}", status.as_u16()), title, detail)
    }

    /// The same fault, found in a query: it is the filter that is malformed.
    pub(crate) fn as_malformed(&self) -> Self {
        Self::malformed(self.problem.detail.clone())
    }

    fn with_errors(mut self, errors: impl IntoIterator<Item = String>) -> Self {
        self.problem.errors =
            errors.into_iter().map(|detail| FieldError { field: None, detail }).collect();
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = render(&self.problem);
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Rendered(self.problem));
        response
    }
}

/// Marks a response that is a problem document already.
#[derive(Debug, Clone)]
pub(crate) struct Rendered(Box<Problem>);

fn render(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(problem).unwrap_or_default();
    (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
}

/// Gives an error its request's path, and makes a problem document of what is none yet.
pub(crate) fn finished(response: Response, path: &str) -> Response {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let mut problem = match response.extensions().get::<Rendered>() {
        Some(Rendered(problem)) => problem.clone(),
        None => ApiError::bare(status).problem,
    };
    problem.instance = Some(path.to_owned());
    let mut answer = render(&problem);
    for name in [ALLOW, CONTENT_RANGE, RETRY_AFTER, WWW_AUTHENTICATE] {
        if let Some(value) = response.headers().get(&name) {
            answer.headers_mut().insert(name, value.clone());
        }
    }
    answer
}

impl From<OperateError> for ApiError {
    fn from(error: OperateError) -> Self {
        match error {
            OperateError::NotFound { what } => Self::not_found(what),
            OperateError::NotAllowed { reason } => Self::conflict(reason),
            OperateError::Invalid { reason } => Self::invalid(reason),
            OperateError::Config { problems } => {
                Self::conflict("the repository's orch.toml can't be used; mend it and try again")
                    .with_errors(problems)
            }
            OperateError::IdempotencyMismatch => Self::invalid(
                "this Idempotency-Key was used before with another request; use a new one",
            ),
            OperateError::Unavailable { reason } => {
                tracing::warn!(reason, "a request could not be served");
                Self::unavailable(reason)
            }
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        OperateError::from(error).into()
    }
}
