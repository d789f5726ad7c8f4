//! One delivery to one receiver.

use std::time::Duration;

use orch_core::settings::Receiver;

use super::letter::{News, letter};
use crate::http;

/// How long one delivery may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is quoted of a receiver's answer.
const QUOTED: u64 = 200;

/// Why an alert was not delivered. It names no address: those of webhooks are secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Undelivered {
    /// In words for people.
    pub reason: String,
    /// When the receiver wants to be tried again; `None` where it says nothing.
    pub retry_after: Option<Duration>,
}

/// Delivers; a status of 2xx is a delivery.
pub fn send(receiver: &Receiver, news: &News) -> Result<(), Undelivered> {
    let letter = letter(receiver, news);
    let mut request = http::client(PATIENCE).post(letter.url.expose());
    for (name, value) in &letter.headers {
        request = request.header(*name, value);
    }
    let answer = request.send(&letter.body).map_err(|error| Undelivered {
        reason: without(&error.to_string(), letter.url.expose()),
        retry_after: None,
    })?;
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let seconds = answer.headers().get("retry-after").and_then(|value| value.to_str().ok());
    let retry_after = seconds.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let said = answer.into_body().with_config().limit(QUOTED).lossy_utf8(true).read_to_string();
    let said = said.map(|said| without(said.trim(), letter.url.expose())).unwrap_or_default();
    let said: String = said.chars().filter(|c| !c.is_control()).collect();
    let colon = if said.is_empty() { "" } else { ": " };
    Err(Undelivered { reason: format!("status {}{colon}{said}", status.as_u16()), retry_after })
}

/// A text without the receiver's address.
fn without(text: &str, url: &str) -> String {
    text.replace(url, "…")
}
