//! On loopback only loopback names are answered: a web page whose own name was made to point here
//! (DNS rebinding) gets nothing.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;

use crate::problem::ApiError;
use crate::state::AppState;

/// Refuses requests for another host's name.
pub(crate) async fn host(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if state.loopback_only() && !asks_for_loopback(&request) {
        return Err(ApiError::forbidden(
            "the service listens on loopback only: name it 127.0.0.1, [::1] or localhost",
        ));
    }
    Ok(next.run(request).await)
}

fn asks_for_loopback(request: &Request) -> bool {
    let mut given = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (given.next(), given.next()) else { return false };
    let named = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
    let in_target = request.uri().host();
    named.is_some_and(|authority| is_loopback(authority.host()))
        && in_target.is_none_or(is_loopback)
}

/// True for the names that reach only this machine, by whatever DNS says.
fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let bare = bare.strip_suffix('.').unwrap_or(bare);
    match bare.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn asks(hosts: &[&str], target: &str) -> bool {
        let mut request = Request::builder().uri(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        asks_for_loopback(&request.body(Body::empty()).unwrap())
    }

    #[test]
    fn only_names_of_this_machine_pass() {
        for good in
            ["localhost", "LOCALHOST:1", "127.0.0.1:8420", "127.9.9.9", "[::1]:8420", "[::1]"]
        {
            assert!(asks(&[good], "/"), "{good} refused");
        }
        for bad in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "",
            "10.0.0.1",
            "user@evil.example",
            "127.0.0.1@evil.example",
            "local host",
            "[::2]",
            "127.1x",
        ] {
            assert!(!asks(&[bad], "/"), "{bad} passed");
        }
        assert!(!asks(&[], "/"), "no host at all");
        assert!(!asks(&["localhost", "localhost"], "/"), "two hosts");
        assert!(!asks(&["localhost"], "http://evil.example/"), "another one in the target");
    }
}
