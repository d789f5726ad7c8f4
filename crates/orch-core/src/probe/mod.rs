//! Probes of a running service (S7, S9): which path is asked for and what its answer has to say.
//! Reading one and judging an answer are pure; whoever asks is `orch-engine`.
//!
//! A probe is one line: a path, then expectations on fields of the JSON that it answers with, such
//! as `/queue serial_gate.enabled exists` or `/health status=ok`. Without an expectation an answer
//! of 2xx is all that is asked.

mod field;

use std::fmt;
use std::iter::Peekable;
use std::str::{FromStr, SplitWhitespace};

use serde_json::Value;

pub use field::Field;

use crate::verdict::{Finding, tail};

/// The longest answer that is read, in bytes: a status page is a thousandth of it.
pub const MAX_ANSWER: usize = 1 << 20;
/// What a finding quotes of an answer.
const QUOTED: usize = 300;

/// One question to a running service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The path, from the service's base URL on.
    pub path: String,
    /// What the answer has to say; empty where an answer is enough.
    pub expectations: Vec<Expectation>,
}

/// What one field of an answer has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    field: Field,
    test: Test,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    Is(String),
    IsNot(String),
    Exists,
}

/// Why a line is no probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be a path and what its answer says, such as /health status=ok ({0})")]
pub struct BadProbe(String);

impl FromStr for Probe {
    type Err = BadProbe;

    fn from_str(line: &str) -> Result<Self, BadProbe> {
        let mut words = line.split_whitespace().peekable();
        let path = words.next().unwrap_or_default();
        if !path.starts_with('/') || path.contains(|c: char| c.is_control() || c == '#') {
            return Err(BadProbe(format!("{path:?} is no path")));
        }
        let mut expectations = Vec::new();
        while words.peek().is_some() {
            expectations.push(Expectation::read(&mut words).map_err(BadProbe)?);
        }
        Ok(Self { path: path.to_owned(), expectations })
    }
}

/// Why a text is no expectation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "must say what a field of the answer is, such as status=ok, status!=down or version exists ({0})"
)]
pub struct BadExpectation(String);

impl FromStr for Expectation {
    type Err = BadExpectation;

    fn from_str(text: &str) -> Result<Self, BadExpectation> {
        let mut words = text.split_whitespace().peekable();
        let read = Self::read(&mut words).map_err(BadExpectation)?;
        match words.next() {
            None => Ok(read),
            Some(more) => Err(BadExpectation(format!("{more:?} is too much"))),
        }
    }
}

impl Expectation {
    /// Reads the next one; the error says what is wrong with it.
    fn read(words: &mut Peekable<SplitWhitespace<'_>>) -> Result<Self, String> {
        let word = words.next().unwrap_or_default();
        let (field, test) = match word.split_once('=') {
            Some((field, value)) => match field.strip_suffix('!') {
                Some(field) => (field, Test::IsNot(value.to_owned())),
                None => (field, Test::Is(value.to_owned())),
            },
            None if words.next_if_eq(&"exists").is_some() => (word, Test::Exists),
            None => return Err(format!("{word:?} is neither FIELD=VALUE nor FIELD exists")),
        };
        let field = Field::new(field).ok_or_else(|| format!("{field:?} is no field"))?;
        Ok(Self { field, test })
    }
}

/// The first expectation that a body does not meet, in words; `None` where it meets all of them.
pub fn unmet(expectations: &[Expectation], body: &str) -> Option<String> {
    if expectations.is_empty() {
        return None;
    }
    let Ok(json) = serde_json::from_str::<Value>(body) else {
        return Some("does not answer with JSON".to_owned());
    };
    expectations.iter().find_map(|expected| {
        let found = expected.field.find(&json);
        let met = match &expected.test {
            Test::Is(value) => found.is_some_and(|found| says(found, value)),
            Test::IsNot(value) => found.is_some_and(|found| !says(found, value)),
            Test::Exists => found.is_some(),
        };
        let field = &expected.field;
        (!met).then(|| match found {
            Some(found) => {
                format!("has {field} {}, and not {expected}", tail(&found.to_string(), 80))
            }
            None => format!("has no {field}, and {expected} is expected"),
        })
    })
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        self.expectations.iter().try_for_each(|expected| write!(f, " {expected}"))
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = &self.field;
        match &self.test {
            Test::Is(value) => write!(f, "{field}={value}"),
            Test::IsNot(value) => write!(f, "{field}!={value}"),
            Test::Exists => write!(f, "{field} exists"),
        }
    }
}

/// What a service answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Where a redirect leads; `None` where it says nothing.
    pub location: Option<String>,
    /// The body, at most [`MAX_ANSWER`] bytes of it.
    pub body: String,
}

/// What an answer is taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// It says what was expected.
    Met,
    /// The service itself says something else: the code's doing.
    Unmet(Finding),
    /// Something before the service answered in its place, or asked for patience.
    NotThere {
        /// In words for people.
        reason: String,
    },
    /// The one who asks is not let in.
    NotLetIn {
        /// In words for people.
        reason: String,
    },
}

impl Probe {
    /// Judges the answer.
    pub fn judge(&self, answer: &Answer) -> Judged {
        let status = answer.status;
        match status {
            200..=299 => match unmet(&self.expectations, &answer.body) {
                None => Judged::Met,
                Some(what) => Judged::Unmet(self.finding(&what, answer)),
            },
            // A gateway speaks, or the service itself asks for patience.
            429 | 502..=504 => {
                Judged::NotThere { reason: format!("{} answers with status {status}", self.path) }
            }
            401 | 403 | 407 => Judged::NotLetIn {
                reason: format!(
                    "{} answers with status {status}: credentials are asked for",
                    self.path
                ),
            },
            300..=399 => {
                let to =
                    answer.location.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                Judged::Unmet(self.finding(&format!("is a redirect{to} (status {status})"), answer))
            }
            _ => Judged::Unmet(self.finding(&format!("answers with status {status}"), answer)),
        }
    }

    fn finding(&self, what: &str, answer: &Answer) -> Finding {
        let quoted: String = answer.body.chars().take(QUOTED).collect();
        let finding = Finding::new(format!("{} {what}", self.path));
        if quoted.trim().is_empty() { finding } else { finding.with_detail(&quoted) }
    }
}

/// A text is compared as it is, everything else as JSON writes it.
fn says(found: &Value, value: &str) -> bool {
    match found {
        Value::String(text) => text == value,
        other => serde_json::to_string(other).is_ok_and(|json| json == value),
    }
}

#[cfg(test)]
mod tests;
