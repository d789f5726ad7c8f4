//! Lenient looks into JSON from outside: a field of another form than expected is an absent one.

use serde_json::Value;

/// The most of a text that an event keeps, in bytes; the log holds the rest.
const MAX_TEXT: usize = 4 * 1024;

/// The beginning of a text that an event keeps.
pub(crate) fn head(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// Looks by key that never fail.
pub(crate) trait Fields {
    /// The value of a key; null where there is none.
    fn at(&self, key: &str) -> &Value;
    /// The text of a key; empty where there is none.
    fn text(&self, key: &str) -> &str;
    /// The whole number of a key; 0 where there is none or it is negative.
    fn number(&self, key: &str) -> u64;
    /// The items of a key; none where there is no array.
    fn items(&self, key: &str) -> &[Value];
}

impl Fields for Value {
    fn at(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(&Value::Null)
    }

    fn text(&self, key: &str) -> &str {
        self.at(key).as_str().unwrap_or_default()
    }

    fn number(&self, key: &str) -> u64 {
        self.at(key).as_u64().unwrap_or_default()
    }

    fn items(&self, key: &str) -> &[Value] {
        self.at(key).as_array().map_or(&[], Vec::as_slice)
    }
}
