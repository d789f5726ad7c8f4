//! One look over HTTP. What is the service's answer and what is the probe's own fault is told
//! apart here, and nowhere else.

use std::io::ErrorKind;
use std::time::Duration;

use orch_core::deploy::{Health, RevisionText, Running, read_field, read_text};
use orch_core::ids::Revision;

use crate::http;

/// Bytes read of an answer.
const MAX_BODY: u64 = 64 * 1024;

/// What came of a request.
enum Answer {
    /// An answer with its status and body.
    Http(u16, String),
    /// The address is reached and nobody answers there.
    Down(String),
    /// The request came to nobody: name, route, TLS.
    Unreachable(String),
}

/// Asks whether the service is healthy.
pub(super) fn health(url: &str, patience: Duration) -> Health {
    match get(url, patience) {
        Answer::Http(200..=299, _) => Health::Healthy,
        Answer::Http(status, _) => Health::Unhealthy { what: format!("HTTP {status} from {url}") },
        Answer::Down(what) => Health::Down { what: format!("{url}: {what}") },
        Answer::Unreachable(what) => Health::Unreachable { what: format!("{url}: {what}") },
    }
}

/// Asks which revision runs.
pub(super) fn revision(
    url: &str,
    patience: Duration,
    field: Option<&str>,
    known: &[Revision],
) -> Running {
    match get(url, patience) {
        Answer::Http(200..=299, body) => named(&body, field, known),
        Answer::Http(status, _) => Running::Down { what: format!("HTTP {status} from {url}") },
        Answer::Down(what) => Running::Down { what: format!("{url}: {what}") },
        Answer::Unreachable(what) => Running::Unreachable { what: format!("{url}: {what}") },
    }
}

/// Which revision an answer names.
pub(super) fn named(text: &str, field: Option<&str>, known: &[Revision]) -> Running {
    let answer = RevisionText { text, known };
    match field {
        Some(pointer) => read_field(answer, pointer),
        None => read_text(answer),
    }
}

fn get(url: &str, patience: Duration) -> Answer {
    let answered = http::client_by_step(patience).get(url).call().and_then(|mut answer| {
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(MAX_BODY).lossy_utf8(true);
        Ok((status, body.read_to_string()?))
    });
    match answered {
        Ok((status, body)) => Answer::Http(status, body),
        Err(error) => failed(&error),
    }
}

fn failed(error: &ureq::Error) -> Answer {
    use ureq::{Error, Timeout};
    let what = error.to_string();
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Answer::Unreachable(what),
        Error::Timeout(_) | Error::Protocol(_) => Answer::Down(what),
        Error::BodyExceedsLimit(_) => Answer::Http(200, String::new()),
        Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::UnexpectedEof => Answer::Down(what),
            _ => Answer::Unreachable(what),
        },
        _ => Answer::Unreachable(what),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server of one answer; gives its address. `None` accepts and says nothing.
    fn server(answer: Option<&'static str>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut kept = Vec::new();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                match answer {
                    Some(answer) => {
                        let mut request = [0; 1024];
                        let _ = stream.read(&mut request);
                        let _ = stream.write_all(answer.as_bytes());
                    }
                    None => kept.push(stream),
                }
            }
        });
        url
    }

    fn word(health: &Health) -> &'static str {
        match health {
            Health::Healthy => "healthy",
            Health::Unhealthy { .. } => "unhealthy",
            Health::Down { .. } => "down",
            Health::Unreachable { .. } => "unreachable",
        }
    }

    #[test]
    fn an_answer_a_silence_and_a_fault_of_the_probe_are_told_apart() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let refused = format!("http://{}/", free.local_addr().unwrap());
        drop(free);
        let patience = Duration::from_millis(300);
        let table = [
            (server(Some("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")), "healthy"),
            (server(Some("HTTP/1.1 204 No Content\r\n\r\n")), "healthy"),
            (server(Some("HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n")), "unhealthy"),
            (server(Some("HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")), "unhealthy"),
            (server(Some("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n")), "unhealthy"),
            (server(Some("")), "down"),
            (server(Some("garbage\r\n\r\n")), "down"),
            (server(None), "down"),
            (refused, "down"),
            ("http://no-such-host.invalid/".to_owned(), "unreachable"),
            ("https://127.0.0.1:1/".to_owned(), "unreachable or down"),
        ];
        for (url, expected) in table {
            let seen = health(&url, patience);
            assert!(expected.split(" or ").any(|word_| word_ == word(&seen)), "{url}: {seen:?}");
        }
    }

    #[test]
    fn an_error_page_is_no_revision() {
        let revision_ = "a".repeat(40);
        let known = [Revision::new(&*revision_).unwrap()];
        let url = server(Some("HTTP/1.1 500 No\r\ncontent-length: 7\r\n\r\naaaaaaa"));
        let seen = revision(&url, Duration::from_secs(2), None, &known);
        assert!(matches!(seen, Running::Down { .. }), "{seen:?}");
        let url = server(Some("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\naaaaaaa"));
        let seen = revision(&url, Duration::from_secs(2), None, &known);
        assert_eq!(seen, Running::Is { revision: known[0].clone() });
    }
}
