//! Requests that change something are not taken from other origins' web pages.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::ApiError;

/// Refuses what a browser sends for a page of another origin.
pub(crate) async fn origin(request: Request, next: Next) -> Result<Response, ApiError> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && foreign(request.headers()) {
        return Err(ApiError::forbidden(
            "a web page of another origin asked for a change; only this service's own pages may",
        ));
    }
    Ok(next.run(request).await)
}

/// True where a browser says that another origin's page sent it. Other programs say nothing.
fn foreign(headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get("sec-fetch-site")
        && site != "same-origin"
        && site != "none"
    {
        return true;
    }
    let Some(origin) = headers.get(ORIGIN) else { return false };
    let authority = origin.to_str().ok().and_then(|text| text.split_once("://"));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    match (authority, host) {
        (Some((_, from)), Some(host)) => !from.eq_ignore_ascii_case(host),
        // `null`: a sandboxed page or a file; or nothing to compare with.
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_origins_are_foreign() {
        let table: [(&[(&str, &str)], bool); 9] = [
            (&[], false),
            (&[("origin", "http://localhost:8420")], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "http://localhost:8420")], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("origin", "http://evil.example")], true),
            (&[("origin", "http://localhost:9999")], true),
            (&[("origin", "null")], true),
            (&[("sec-fetch-site", "cross-site")], true),
            (&[("sec-fetch-site", "same-site"), ("origin", "http://localhost:8420")], true),
        ];
        for (given, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "localhost:8420".parse().unwrap());
            for (name, value) in given {
                headers.insert(*name, value.parse().unwrap());
            }
            assert_eq!(foreign(&headers), expected, "{given:?}");
        }
    }
}
