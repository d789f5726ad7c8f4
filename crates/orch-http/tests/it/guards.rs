//! Who is answered, and whose wishes are taken.

use crate::service::Service;

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[test]
fn only_loopback_names_are_answered_on_loopback() {
    let service = Service::start();
    for (host, status) in
        [("127.0.0.1:8420", 200), ("localhost", 200), ("[::1]:1", 200), ("evil.example", 403)]
    {
        for path in ["/health", "/status", "/tasks"] {
            let answer = service.send("GET", path, &[("Host", host)], b"");
            assert_eq!(answer.status, status, "{host} {path}: {answer:?}");
        }
    }
    let nameless = service.raw(b"GET /status HTTP/1.0\r\n\r\n");
    assert_eq!(nameless.problem().status, 403);
}

#[test]
fn other_origins_pages_change_nothing() {
    let service = Service::start();
    let body = br#"{"title":"by a page"}"#;
    for (name, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let answer = service.send("POST", "/tasks", &[JSON, (name, value)], body);
        assert_eq!(answer.problem().status, 403, "{name}: {value}");
    }
    assert_eq!(service.client.status().unwrap().tasks.open, 0);
    let own = [JSON, ("Origin", "http://localhost"), ("Sec-Fetch-Site", "same-origin")];
    assert_eq!(service.send("POST", "/tasks", &own, body).status, 201);
}

#[test]
fn answers_are_not_cached_and_not_guessed_at() {
    let service = Service::start();
    for path in ["/status", "/nothing"] {
        let answer = service.send("GET", path, &[], b"");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}
