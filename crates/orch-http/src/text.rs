//! Words that people give: bounded and on lines, so that no history or terminal is spoiled.

use crate::problem::ApiError;

/// The longest reason, in characters.
const MAX_REASON: usize = 1_000;
/// The longest answer, in bytes: what a brief takes of one.
const MAX_ANSWER: usize = 16 << 10;
/// The most that a budget is raised by: a million dollars, or as many tokens.
const MAX_RAISE: u64 = 1_000_000_000_000;
/// The longest idempotency key, in bytes.
const MAX_KEY: usize = 255;

/// A reason or a name; blank ones are none.
pub(crate) fn reason(field: &str, text: Option<String>) -> Result<Option<String>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let text = text.trim();
    if text.chars().count() > MAX_REASON {
        return Err(ApiError::invalid(format!(
            "{field} is longer than {MAX_REASON} characters; say it shorter"
        )));
    }
    if text.chars().any(char::is_control) {
        return Err(ApiError::invalid(format!("{field} has control characters; it is one line")));
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// An answer for the next brief.
pub(crate) fn answer(text: String) -> Result<String, ApiError> {
    if text.len() > MAX_ANSWER {
        return Err(ApiError::invalid(format!("text is larger than {MAX_ANSWER} bytes")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(ApiError::invalid("text has control characters"));
    }
    Ok(text)
}

/// What a task is allowed above its budget.
pub(crate) fn raise(field: &str, by: Option<u64>) -> Result<u64, ApiError> {
    match by {
        Some(by) if by > MAX_RAISE => {
            Err(ApiError::invalid(format!("{field} is above {MAX_RAISE}")))
        }
        by => Ok(by.unwrap_or_default()),
    }
}

/// An `Idempotency-Key`.
pub(crate) fn idempotency_key(value: &[u8]) -> Result<String, ApiError> {
    let plain =
        !value.is_empty() && value.len() <= MAX_KEY && value.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(value) {
        Ok(text) if plain => Ok(text.to_owned()),
        _ => Err(ApiError::malformed(format!(
            "Idempotency-Key has to be 1 to {MAX_KEY} visible ASCII characters"
        ))),
    }
}
