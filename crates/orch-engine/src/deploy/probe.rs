//! One look over HTTP. What is the service's answer and what is the probe's own fault is told
//! apart here, and nowhere else.

use std::io::ErrorKind;
use std::time::Duration;

use orch_core::deploy::{Health, RevisionText, Running, read_field, read_text};
use orch_core::ids::Revision;
use orch_core::probe::{Expectation, MAX_ANSWER, unmet};

use crate::http;

/// Said of an answer of more than [`MAX_ANSWER`] bytes.
const TOO_LONG: &str = "the answer is longer than 1 MiB";

/// What came of a request.
enum Answer {
    /// An answer with its status and body.
    Http(u16, String),
    /// An answer that is too long to be read.
    TooLong,
    /// The address is reached and nobody answers there.
    Down(String),
    /// The request came to nobody: name, route, TLS.
    Unreachable(String),
}

/// Asks whether the service is healthy, and says what it has to.
pub(super) fn health(url: &str, expected: &[Expectation], patience: Duration) -> Health {
    match get(url, patience) {
        Answer::Http(200..=299, body) => match unmet(expected, &body) {
            None => Health::Healthy,
            Some(what) => Health::Unhealthy { what: format!("{url} {what}") },
        },
        Answer::TooLong if expected.is_empty() => Health::Healthy,
        Answer::TooLong => Health::Unreachable { what: format!("{url}: {TOO_LONG}") },
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
        Answer::TooLong => Running::Unreachable { what: format!("{url}: {TOO_LONG}") },
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
        let body = answer.body_mut().with_config().limit(MAX_ANSWER as u64).lossy_utf8(true);
        match body.read_to_string() {
            Ok(body) => Ok(Answer::Http(status, body)),
            Err(ureq::Error::BodyExceedsLimit(_)) if (200..300).contains(&status) => {
                Ok(Answer::TooLong)
            }
            Err(ureq::Error::BodyExceedsLimit(_)) => Ok(Answer::Http(status, String::new())),
            Err(error) => Err(error),
        }
    });
    match answered {
        Ok(answer) => answer,
        Err(error) => failed(&error),
    }
}

fn failed(error: &ureq::Error) -> Answer {
    use ureq::{Error, Timeout};
    let what = error.to_string();
    match error {
        Error::Timeout(Timeout::Resolve | Timeout::Connect) => Answer::Unreachable(what),
        Error::Timeout(_) | Error::Protocol(_) => Answer::Down(what),
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
            let seen = health(&url, &[], patience);
            assert!(expected.split(" or ").any(|word_| word_ == word(&seen)), "{url}: {seen:?}");
        }
    }

    /// With expectations an answer of 2xx is healthy only where its JSON says so.
    #[test]
    fn an_answer_has_to_say_what_is_expected_of_it() {
        let answer = |body: &str| {
            let long = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            server(Some(long.leak()))
        };
        let expected = ["status=ok".parse().unwrap(), "db.lag!=high".parse().unwrap()];
        let patience = Duration::from_secs(5);
        for (body, word_) in [
            (r#"{"status":"ok","db":{"lag":"low"}}"#, "healthy"),
            (r#"{"status":"starting","db":{"lag":"low"}}"#, "unhealthy"),
            (r#"{"status":"ok","db":{"lag":"high"}}"#, "unhealthy"),
            (r#"{"status":"ok"}"#, "unhealthy"),
            ("ok", "unhealthy"),
            ("", "unhealthy"),
            (&" ".repeat(MAX_ANSWER + 1), "unreachable"),
        ] {
            let seen = health(&answer(body), &expected, patience);
            assert_eq!(word(&seen), word_, "{body:.60}: {seen:?}");
        }
        let seen = health(&answer(r#"{"status":"down"}"#), &expected, patience);
        let Health::Unhealthy { what } = seen else { panic!("{seen:?}") };
        assert!(what.contains("has status \"down\", and not status=ok"), "{what}");
        assert_eq!(word(&health(&answer(&" ".repeat(MAX_ANSWER + 1)), &[], patience)), "healthy");
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
