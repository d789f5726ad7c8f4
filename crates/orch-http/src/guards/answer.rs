//! The outermost guard: panics are caught, errors become problem documents, nothing is cached.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::{ApiError, finished};

/// Runs a request to its answer, whatever happens on the way.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut running = pin!(next.run(request));
    let response = std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(context)));
        polled.unwrap_or_else(|_| {
            tracing::error!(http.path = path, "a handler panicked");
            Poll::Ready(ApiError::internal().into_response())
        })
    })
    .await;
    let mut response = finished(response, &path);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use axum::Router;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::get;

    use super::*;

    async fn fail() -> Response {
        panic!("a secret of the inside")
    }

    fn ask(address: std::net::SocketAddr, path: &str) -> String {
        let mut connection = std::net::TcpStream::connect(address).unwrap();
        write!(connection, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[tokio::test]
    async fn a_panic_and_a_bare_error_become_problems_that_tell_no_secrets() {
        let routes = Router::new()
            .route("/panic", get(fail))
            .route("/bare", get(async || StatusCode::IM_A_TEAPOT))
            .layer(from_fn(answer));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, routes).into_future());
        for (path, status) in [("/panic", "500"), ("/bare", "418"), ("/panic", "500")] {
            let told = tokio::task::spawn_blocking(move || ask(address, path)).await.unwrap();
            assert!(told.starts_with(&format!("HTTP/1.1 {status} ")), "{told}");
            assert!(told.contains("application/problem+json") && told.contains(path), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
    }
}
