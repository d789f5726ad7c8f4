//! What providers' answers mean, by status and by words: programs pass them on in their own ways.

use orch_core::outcome::Fault;

use super::event::Patience;

/// What an HTTP status says; `None` for one that says nothing of a fault.
pub fn fault_of_status(status: u64) -> Option<Fault> {
    match status {
        401..=403 => Some(Fault::AuthBroken),
        429 => Some(Fault::RateLimited),
        413 => Some(Fault::ContextOverflow),
        408 | 425 | 500..=599 => Some(Fault::Overloaded),
        400..=499 => Some(Fault::BadRequest),
        _ => None,
    }
}

/// Words in lower case and what they mean, the more telling before the less.
const WORDS: &[(&str, Fault)] = &[
    ("prompt is too long", Fault::ContextOverflow),
    ("context window", Fault::ContextOverflow),
    ("context_length_exceeded", Fault::ContextOverflow),
    ("maximum context length", Fault::ContextOverflow),
    ("exceeds the maximum number of tokens", Fault::ContextOverflow),
    ("no conversation found", Fault::SessionGone),
    ("no rollout found", Fault::SessionGone),
    ("thread/resume failed", Fault::SessionGone),
    ("session not found", Fault::SessionGone),
    ("output token maximum", Fault::OutputLimit),
    ("max_output_tokens", Fault::OutputLimit),
    ("usage limit", Fault::RateLimited),
    ("hit your limit", Fault::RateLimited),
    ("rate limit", Fault::RateLimited),
    ("rate_limit", Fault::RateLimited),
    ("too many requests", Fault::RateLimited),
    ("credit balance", Fault::AuthBroken),
    ("insufficient_quota", Fault::AuthBroken),
    ("invalid api key", Fault::AuthBroken),
    ("invalid_api_key", Fault::AuthBroken),
    ("not logged in", Fault::AuthBroken),
    ("please run /login", Fault::AuthBroken),
    ("authentication_error", Fault::AuthBroken),
    ("permission_error", Fault::AuthBroken),
    ("unauthorized", Fault::AuthBroken),
    ("missing environment variable", Fault::AuthBroken),
    ("overloaded", Fault::Overloaded),
    ("high demand", Fault::Overloaded),
    ("server_error", Fault::Overloaded),
    ("api_error", Fault::Overloaded),
    ("internal server error", Fault::Overloaded),
    ("service unavailable", Fault::Overloaded),
    ("invalid_request_error", Fault::BadRequest),
    ("not_found_error", Fault::BadRequest),
    ("model does not exist", Fault::BadRequest),
    ("stream disconnected", Fault::Unreachable),
    ("stream closed", Fault::Unreachable),
    ("malformed", Fault::Unreachable),
    ("error sending request", Fault::Unreachable),
    ("connection error", Fault::Unreachable),
    ("connection refused", Fault::Unreachable),
    ("connection closed", Fault::Unreachable),
    ("connection reset", Fault::Unreachable),
    ("econnrefused", Fault::Unreachable),
    ("econnreset", Fault::Unreachable),
    ("unable to connect", Fault::Unreachable),
    ("fetch failed", Fault::Unreachable),
    ("socket hang up", Fault::Unreachable),
    ("timed out", Fault::Unreachable),
    ("timeout", Fault::Unreachable),
];
/// The most of a message that is looked through, in bytes: the telling words stand at its beginning.
const LOOKED_AT: usize = 4 * 1024;

/// What an error's words mean; `None` where they say nothing known.
pub fn fault_of_text(text: &str) -> Option<Fault> {
    let mut end = text.len().min(LOOKED_AT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let lower = text[..end].to_ascii_lowercase();
    let by_words =
        || WORDS.iter().find(|(words, _)| lower.contains(words)).map(|(_, fault)| *fault);
    let telling = by_words().filter(|fault| {
        matches!(fault, Fault::ContextOverflow | Fault::SessionGone | Fault::OutputLimit)
    });
    telling.or_else(|| status_in(&lower).and_then(fault_of_status)).or_else(by_words)
}

/// A status after the word `status`, `http`, `error` or `api error:`.
fn status_in(lower: &str) -> Option<u64> {
    ["status code ", "status: ", "status ", "http ", "api error: ", "error: "].iter().find_map(
        |word| {
            let rest = &lower[lower.find(word)? + word.len()..];
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            (digits.len() == 3).then(|| digits.parse().ok()).flatten()
        },
    )
}

/// For how long words ask for patience: `try again in 2 hours 5 minutes`; `None` where they don't.
pub fn patience_of_text(text: &str) -> Option<Patience> {
    let lower = text.to_ascii_lowercase();
    let rest = &lower[lower.find("try again in ")? + "try again in ".len()..];
    let mut words = rest.split([' ', ',', '.']).filter(|word| !word.is_empty());
    let mut seconds: u64 = 0;
    while let Some(number) = words.next().and_then(|word| word.parse::<u64>().ok()) {
        let unit = match words.next()?.trim_end_matches('s') {
            "second" | "sec" => 1,
            "minute" | "min" => 60,
            "hour" => 3600,
            "day" => 86_400,
            _ => return None,
        };
        seconds = seconds.saturating_add(number.saturating_mul(unit));
    }
    (seconds > 0).then_some(Patience::Seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_statuses_are_told_apart() {
        let table = [
            (
                "unexpected status 401 Unauthorized: fake, url: http://x/s/529/",
                Some(Fault::AuthBroken),
            ),
            ("unexpected status 529 <unknown status code>: x", Some(Fault::Overloaded)),
            ("exceeded retry limit, last status: 429 Too Many Requests", Some(Fault::RateLimited)),
            ("API Error: 529 fake", Some(Fault::Overloaded)),
            ("API Error: Request rejected (429) · rate limit", Some(Fault::RateLimited)),
            (
                "Codex ran out of room in the model's context window. Start a new thread",
                Some(Fault::ContextOverflow),
            ),
            ("status 400: prompt is too long: 9 tokens", Some(Fault::ContextOverflow)),
            (
                r#"{"error":{"type":"invalid_request_error","message":"x"}}"#,
                Some(Fault::BadRequest),
            ),
            ("Credit balance is too low", Some(Fault::AuthBroken)),
            ("stream disconnected before completion: stream closed", Some(Fault::Unreachable)),
            (
                "Error: thread/resume: thread/resume failed: no rollout found",
                Some(Fault::SessionGone),
            ),
            ("You've hit your usage limit. Try again in 3 days", Some(Fault::RateLimited)),
            ("Model metadata for `x` not found. Defaulting", None),
            ("status 99999", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(fault_of_text(text), expected, "{text}");
        }
        assert_eq!(fault_of_text(&"ä".repeat(100_000)), None);
    }

    #[test]
    fn patience_is_read_from_words() {
        let table = [
            ("Try again in 3 days 4 hours 5 minutes.", Some(3 * 86_400 + 4 * 3600 + 300)),
            ("please try again in 20 seconds", Some(20)),
            ("try again in 1 fortnight", None),
            ("try again in a moment", None),
            ("try again in 99999999999999999999 days", None),
            ("try again in 18446744073709551615 days", Some(u64::MAX)),
            ("later", None),
        ];
        for (text, expected) in table {
            assert_eq!(patience_of_text(text), expected.map(Patience::Seconds), "{text}");
        }
    }
}
