//! The place of a value in JSON.

use std::fmt;

use serde_json::Value;

/// A place in JSON: names and list positions from the top, as `serial_gate.enabled` or, where a
/// name has a dot in it, as the JSON pointer `/serial_gate/enabled`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    text: String,
}

impl Field {
    /// `None` where it is empty.
    pub fn new(text: &str) -> Option<Self> {
        let parts = text.trim_start_matches('/');
        (!parts.is_empty()).then(|| Self { text: text.to_owned() })
    }

    /// The value at this place.
    pub fn find<'a>(&self, json: &'a Value) -> Option<&'a Value> {
        if self.text.starts_with('/') {
            return json.pointer(&self.text);
        }
        self.text.split('.').try_fold(json, |at, part| match at {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?),
            other => other.get(part),
        })
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
