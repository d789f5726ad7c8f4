//! Keeps secrets out of what a run leaves behind (S6): a mask stands in place of every value that
//! is known to be one. Whoever takes in text from a run (its supervisor, the reader of its
//! artifacts, the renderer of its brief) masks it there, once.

mod names;
mod stream;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

pub use names::{looks_secret, url_password};
pub use stream::MaskedStream;

/// Shorter values are not masked: they would be found everywhere, and `1` or `main` is no secret.
pub const MIN_SECRET: usize = 8;
/// Longer ones are no keys; of a key over several lines each line is masked by itself.
pub const MAX_SECRET: usize = 16 * 1024;
/// The most values that one run's output is searched for.
const MAX_SECRETS: usize = 1024;
/// The shortest line that is masked of a value over several lines.
const MIN_LINE: usize = 16;

/// The secrets that are masked, each under the name that its mask shows.
#[derive(Clone, Default)]
pub struct Masks {
    /// Names by value.
    values: BTreeMap<String, String>,
    /// `None` where there is nothing to look for.
    finder: Option<Finder>,
}

#[derive(Clone)]
struct Finder {
    automaton: AhoCorasick,
    /// What stands in place of each pattern.
    masks: Vec<String>,
    /// The patterns, for those that are cut off at the end of a text.
    patterns: Vec<String>,
    longest: usize,
}

impl Masks {
    /// Masks these values, given as name and value; what is too short or too long is left out.
    pub fn new<N: Into<String>>(secrets: impl IntoIterator<Item = (N, String)>) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in secrets {
            let name = name.into();
            for pattern in patterns(&value) {
                if values.len() < MAX_SECRETS {
                    values.entry(pattern).or_insert_with(|| name.clone());
                }
            }
        }
        let finder = Finder::new(&values);
        Self { values, finder }
    }

    /// Whether nothing is masked.
    pub fn is_empty(&self) -> bool {
        self.finder.is_none()
    }

    /// Names and values, for another process that masks by them.
    pub fn secrets(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(value, name)| (name.as_str(), value.as_str()))
    }

    /// A text with its secrets masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.finder {
            Some(finder) if finder.automaton.is_match(text) => {
                Cow::Owned(finder.automaton.replace_all(text, &finder.masks))
            }
            _ => Cow::Borrowed(text),
        }
    }

    /// The same of bytes, whatever they are.
    pub fn bytes<'t>(&self, bytes: &'t [u8]) -> Cow<'t, [u8]> {
        match &self.finder {
            Some(finder) if finder.automaton.is_match(bytes) => {
                Cow::Owned(finder.automaton.replace_all_bytes(bytes, &finder.masks))
            }
            _ => Cow::Borrowed(bytes),
        }
    }
}

impl Finder {
    fn new(values: &BTreeMap<String, String>) -> Option<Self> {
        let patterns: Vec<String> = values.keys().cloned().collect();
        let masks = values.values().map(|name| format!("[redacted {name}]")).collect();
        let longest = patterns.iter().map(String::len).max()?;
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&patterns)
            // Too many states for its numbers: no such lengths get past the limits above.
            .ok()?;
        Some(Self { automaton, masks, patterns, longest })
    }
}

/// The texts by which a value is found: as it stands, and as it stands in a JSON string.
fn patterns(value: &str) -> Vec<String> {
    let value = value.trim();
    let lines: Vec<&str> = if value.contains('\n') {
        value.lines().map(str::trim).filter(|line| line.len() >= MIN_LINE).collect()
    } else {
        vec![value]
    };
    let fits = |text: &&str| (MIN_SECRET..=MAX_SECRET).contains(&text.len());
    let mut patterns = Vec::new();
    for line in lines.into_iter().filter(fits) {
        patterns.push(line.to_owned());
        let quoted = serde_json::Value::from(line).to_string();
        let inner = &quoted[1..quoted.len() - 1];
        if inner != line {
            patterns.push(inner.to_owned());
        }
    }
    patterns
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masks(secrets: &[(&str, &str)]) -> Masks {
        Masks::new(secrets.iter().map(|(name, value)| (*name, (*value).to_owned())))
    }

    #[test]
    fn a_secret_is_masked_wherever_it_stands_and_its_like_is_not() {
        let masks = masks(&[("API_KEY", "hunter2-hunter2"), ("SHORT", "main"), ("EMPTY", "")]);
        for (text, expected) in [
            ("a hunter2-hunter2.", "a [redacted API_KEY]."),
            ("hunter2-hunter2hunter2-hunter2", "[redacted API_KEY][redacted API_KEY]"),
            ("hunter2-hunter", "hunter2-hunter"),
            ("main", "main"),
            ("", ""),
        ] {
            assert_eq!(masks.text(text), expected);
            assert_eq!(masks.bytes(text.as_bytes()), expected.as_bytes());
        }
        let bytes = [&b"\xff\xfe"[..], b"hunter2-hunter2", b"\0"].concat();
        assert_eq!(masks.bytes(&bytes), &b"\xff\xfe[redacted API_KEY]\0"[..]);
    }

    #[test]
    fn the_longest_of_several_secrets_is_masked() {
        let masks = masks(&[("INNER", "abcdefgh"), ("OUTER", "abcdefghijkl")]);
        assert_eq!(masks.text("abcdefghijkl abcdefghi"), "[redacted OUTER] [redacted INNER]i");
    }

    #[test]
    fn a_secret_is_known_within_json_and_over_several_lines() {
        let key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nAb=\n-----END KEY-----\n";
        let masks = masks(&[("QUOTED", "with\"quote\\es"), ("PEM", key)]);
        let line = serde_json::json!({ "text": format!("a with\"quote\\es {key}") }).to_string();
        let masked = masks.text(&line);
        assert!(!masked.contains("quote") && !masked.contains("MIIEv"), "{masked}");
        serde_json::from_str::<serde_json::Value>(&masked).unwrap();
        assert!(!masks.text(key).contains("MIIEv"));
    }

    #[test]
    fn no_secret_is_shown_for_debugging() {
        let masks = masks(&[("API_KEY", "hunter2-hunter2")]);
        assert_eq!(format!("{masks:?}"), "[\"API_KEY\"]");
        assert!(!masks.is_empty() && Masks::default().is_empty());
    }
}
