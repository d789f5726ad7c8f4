//! A query key that a route does not know is refused: a mistyped filter must not be mistaken for
//! one that found everything.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::ApiError;
use crate::routes::{ROUTES, Route};

/// Refuses unknown query keys.
pub(crate) async fn query(request: Request, next: Next) -> Result<Response, ApiError> {
    if let (Some(route), Some(query)) = (matched(&request), request.uri().query()) {
        unknown(route, query)?;
    }
    Ok(next.run(request).await)
}

fn matched(request: &Request) -> Option<&'static Route> {
    let path = request.extensions().get::<MatchedPath>()?.as_str();
    let method = match request.method().as_str() {
        "HEAD" => "GET",
        method => method,
    };
    ROUTES.iter().find(|route| route.path == path && route.method == method)
}

fn unknown(route: &Route, query: &str) -> Result<(), ApiError> {
    let Some(known) = route.query else { return Ok(()) };
    let keys = query.split('&').filter(|pair| !pair.is_empty());
    for key in keys.map(|pair| pair.split('=').next().unwrap_or_default()) {
        if !known.contains(&key) {
            let shown: String = key.chars().take(80).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(ApiError::malformed(format!(
                "the query key {shown:?} is not known here; known are: {known}"
            )));
        }
    }
    Ok(())
}
