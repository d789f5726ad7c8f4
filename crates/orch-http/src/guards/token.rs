//! Where a token is configured, every request has to show it; only the probes answer without.

use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::ApiError;
use crate::state::AppState;

/// What watches a service from outside need not know its token.
const OPEN: [&str; 2] = ["/health", "/ready"];

/// Refuses requests without the token.
pub(crate) async fn token(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let shown = state.token().is_none_or(|token| shows(request.headers(), token));
    if !shown && !OPEN.contains(&request.uri().path()) {
        return Err(ApiError::unauthorized(
            "the service asks for its token: send Authorization: Bearer TOKEN, or set ORCH_API_TOKEN",
        ));
    }
    Ok(next.run(request).await)
}

fn shows(headers: &HeaderMap, token: &str) -> bool {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(one), None) = (given.next(), given.next()) else { return false };
    let (scheme, shown) = match one.as_bytes().iter().position(|byte| *byte == b' ') {
        Some(space) => (&one.as_bytes()[..space], &one.as_bytes()[space + 1..]),
        None => return false,
    };
    scheme.eq_ignore_ascii_case(b"bearer") && same(shown, token.as_bytes())
}

/// Takes as long for a guess that begins right as for any other.
fn same(shown: &[u8], token: &[u8]) -> bool {
    let differing = shown.iter().zip(token).fold(0, |all, (a, b)| all | (a ^ b));
    shown.len() == token.len() && std::hint::black_box(differing) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_passes() {
        for (given, passes) in [
            (&["Bearer s3cret"][..], true),
            (&["bearer s3cret"], true),
            (&["Bearer s3cre"], false),
            (&["Bearer s3cret1"], false),
            (&["Bearer  s3cret"], false),
            (&["Bearer "], false),
            (&["Bearer"], false),
            (&["Basic s3cret"], false),
            (&["s3cret"], false),
            (&["Bearer s3cret", "Bearer s3cret"], false),
            (&[], false),
        ] {
            let mut headers = HeaderMap::new();
            for value in given {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            assert_eq!(shows(&headers, "s3cret"), passes, "{given:?}");
        }
    }
}
