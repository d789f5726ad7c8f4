//! How a scenario shows in a reply.

use serde_json::Value;

use super::dialect::Dialect;
use super::reply::{Ending, Event, Reply};
use super::scenario::Scenario;

/// What a captive portal says.
const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Sign in</body></html>";

/// The reply of a scenario that needs no answer of the model; `None` where one is needed.
pub(super) fn instead(scenario: Scenario, dialect: Dialect) -> Option<Reply> {
    Some(match scenario {
        Scenario::Status { code, retry_after } => {
            let mut reply = Reply::json(code, &dialect.error(code, message(code)));
            if let Reply::Body { retry_after: header, .. } = &mut reply {
                *header = retry_after.map(|wait| wait.as_secs());
            }
            reply
        }
        Scenario::ContextOverflow => Reply::json(400, &dialect.overflow()),
        Scenario::Hang => Reply::Hang,
        Scenario::Drop => Reply::Drop,
        Scenario::Html => Reply::Body {
            status: 200,
            content_type: "text/html; charset=utf-8",
            retry_after: None,
            parts: vec![PAGE.to_owned()],
            ending: Ending::Whole,
        },
        _ => return None,
    })
}

/// The model's answer as events, with what the scenario does to it.
pub(super) fn stream(scenario: Scenario, mut events: Vec<Event>) -> Reply {
    let middle = events.len() / 2;
    let ending = ending(scenario);
    match scenario {
        Scenario::Stall | Scenario::Cut => events.truncate(middle.max(1)),
        Scenario::Malformed => {
            let data = &mut events[middle].data;
            *data = broken(data);
        }
        _ => {}
    }
    Reply::Body {
        status: 200,
        content_type: "text/event-stream",
        retry_after: None,
        parts: events.iter().map(Event::wire).collect(),
        ending,
    }
}

/// The same for an answer in one document.
pub(super) fn whole(scenario: Scenario, document: &Value) -> Reply {
    let text = document.to_string();
    let text = match scenario {
        Scenario::Stall | Scenario::Cut | Scenario::Malformed => broken(&text),
        _ => text,
    };
    Reply::Body {
        status: 200,
        content_type: "application/json",
        retry_after: None,
        parts: vec![text],
        ending: ending(scenario),
    }
}

fn ending(scenario: Scenario) -> Ending {
    match scenario {
        Scenario::Stall => Ending::Silence,
        Scenario::Cut => Ending::Cut,
        _ => Ending::Whole,
    }
}

/// The first half of a text.
fn broken(text: &str) -> String {
    text.chars().take(text.chars().count() / 2).collect()
}

/// What providers say with a status.
fn message(code: u16) -> &'static str {
    match code {
        400 => "The request is not valid.",
        401 => "The API key is not valid.",
        403 => "The API key may not use this model.",
        404 => "The model does not exist.",
        429 => "This request would exceed the rate limit.",
        529 => "Overloaded",
        503 => "The service is unavailable.",
        _ => "Internal server error",
    }
}
