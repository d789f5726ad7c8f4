//! One request and its answer: addresses, headers, limits, problem documents.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use super::error::ClientError;
use crate::problem::Problem;

/// How long the service may take to let a client in.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an ordinary answer may take: a submission may fetch from a slow remote.
const ANSWER: Duration = Duration::from_mins(2);
/// How long a stream may be silent; the service sends a comment every 15 seconds.
const SILENCE: Duration = Duration::from_mins(1);
/// The largest answer that is read into memory.
const MAX_ANSWER: u64 = 64 << 20;

/// Where the service is and how it is spoken to.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    agent: Agent,
    base: String,
    authorization: Option<String>,
}

/// What is sent with a request.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Sent<'a> {
    /// Further headers.
    pub(super) headers: &'a [(&'a str, &'a str)],
    /// True where the answer is a stream without an end.
    pub(super) stream: bool,
}

impl Transport {
    pub(super) fn new(base: &str, token: Option<&str>) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // The service is on this machine or named outright; a proxy of the environment is not
            // meant for it.
            .proxy(None)
            .user_agent(concat!("orch/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(CONNECT))
            .build();
        Self {
            agent: config.into(),
            base: base.trim_end_matches('/').to_owned(),
            authorization: token.map(|token| format!("Bearer {token}")),
        }
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The address of a path. Only plain HTTP is spoken: a token must not leave in the clear
    /// where encryption was asked for.
    fn url(&self, path: &str) -> Result<String, ClientError> {
        if self.base.starts_with("http://") {
            return Ok(format!("{}{path}", self.base));
        }
        let reason = "it has to begin with http://; reach a distant service through a tunnel";
        Err(ClientError::Unsendable { url: self.base.clone(), reason: reason.to_owned() })
    }

    /// Asks; the answer's status is 2xx.
    pub(super) fn get(&self, path: &str, sent: Sent<'_>) -> Result<Response<Body>, ClientError> {
        let url = self.url(path)?;
        let mut request = self.agent.get(&url);
        for (name, value) in self.headers(sent) {
            request = request.header(name, value);
        }
        let config = request.config();
        let request = if sent.stream {
            config.timeout_recv_response(Some(ANSWER)).timeout_per_read(Some(SILENCE)).build()
        } else {
            config.timeout_global(Some(ANSWER)).build()
        };
        let answer = request.call().map_err(|error| ClientError::of(&self.base, error))?;
        checked(&url, answer)
    }

    /// Sends a body; the answer's status is 2xx.
    pub(super) fn post(
        &self,
        path: &str,
        body: &impl Serialize,
        sent: Sent<'_>,
    ) -> Result<Response<Body>, ClientError> {
        let url = self.url(path)?;
        let mut request = self.agent.post(&url);
        for (name, value) in self.headers(sent) {
            request = request.header(name, value);
        }
        let request = request.config().timeout_global(Some(ANSWER)).build();
        let answer = request.send_json(body).map_err(|error| ClientError::of(&self.base, error))?;
        checked(&url, answer)
    }

    fn headers<'a>(&'a self, sent: Sent<'a>) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = self.authorization.as_deref().map(|value| ("authorization", value));
        own.into_iter().chain(sent.headers.iter().copied())
    }

    /// Asks for a value.
    pub(super) fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.get(path, Sent::default())?;
        json(&format!("{}{path}", self.base), answer)
    }

    /// Sends a body and reads a value.
    pub(super) fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let answer = self.post(path, body, Sent::default())?;
        json(&format!("{}{path}", self.base), answer)
    }
}

/// Reads an answer's body.
pub(super) fn bytes(url: &str, answer: &mut Response<Body>) -> Result<Vec<u8>, ClientError> {
    let read = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
    read.map_err(|error| ClientError::Broken {
        url: url.to_owned(),
        source: match error {
            ureq::Error::Io(error) => error,
            other => std::io::Error::other(other),
        },
    })
}

/// Reads an answer's body as a value.
pub(super) fn json<T: DeserializeOwned>(
    url: &str,
    mut answer: Response<Body>,
) -> Result<T, ClientError> {
    let status = answer.status();
    let body = bytes(url, &mut answer)?;
    serde_json::from_slice(&body).map_err(|error| ClientError::Unexpected {
        url: url.to_owned(),
        status: status.as_u16(),
        detail: error.to_string(),
    })
}

fn checked(url: &str, mut answer: Response<Body>) -> Result<Response<Body>, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = bytes(url, &mut answer)?;
    Err(refused(url, status, &body))
}

fn refused(url: &str, status: StatusCode, body: &[u8]) -> ClientError {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return ClientError::Problem(Box::new(problem));
    }
    let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
    let detail = if text.trim().is_empty() { "an empty body".to_owned() } else { text };
    ClientError::Unexpected { url: url.to_owned(), status: status.as_u16(), detail }
}

/// A piece of a path or a query, with everything that could mean something there encoded.
pub(super) fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // A dot as well: alone it would be taken for a folder.
            other => encoded.extend([
                '%',
                char::from(HEX[usize::from(other >> 4)]),
                char::from(HEX[usize::from(other & 15)]),
            ]),
        }
    }
    encoded
}

/// Joins a path and those of the query's values that are there.
pub(super) fn with_query(path: &str, query: &[(&str, Option<String>)]) -> String {
    let given: Vec<String> = query
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encode(value.as_deref()?))))
        .collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_leaves_its_place_in_a_path() {
        assert_eq!(encode("ORCH-1"), "ORCH-1");
        assert_eq!(encode("../a b?c#d%é"), "%2E%2E%2Fa%20b%3Fc%23d%25%C3%A9");
        let query = [("limit", None), ("cursor", Some("a&b".to_owned()))];
        assert_eq!(with_query("/tasks", &query), "/tasks?cursor=a%26b");
    }

    #[test]
    fn an_answer_that_is_no_problem_document_is_named_as_such() {
        let error = refused("http://x/", StatusCode::BAD_GATEWAY, b"<html>oops</html>");
        assert!(matches!(error, ClientError::Unexpected { status: 502, .. }), "{error}");
        assert!(error.to_string().contains("<html>oops"), "{error}");
    }
}
