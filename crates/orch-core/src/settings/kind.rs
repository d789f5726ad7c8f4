//! What form a setting's value has, and how it is read from TOML and from text.

use std::time::Duration;

use toml::de::{DeArray, DeValue};

use super::command::CommandLine;
use super::duration::{format_duration, parse_duration};
use super::rules::{self, Rule};
use super::secret::{MASK, Secret};
use crate::money::dollars;
use crate::money::prices::{MAX_DOLLARS, micros};
use crate::pipeline::MAX_ATTEMPTS;

/// The form of a setting's value.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `true` or `false`; in the environment also `1/0`, `yes/no`, `on/off`.
    Flag,
    /// A whole number within bounds, both included.
    Count {
        /// The least.
        min: u32,
        /// The most.
        max: u32,
    },
    /// A humane duration within bounds, both included.
    Duration {
        /// The shortest, in milliseconds.
        min_ms: u64,
        /// The longest, in milliseconds.
        max_ms: u64,
        /// Whether `0` is allowed beside the bounds, meaning off.
        or_off: bool,
    },
    /// An amount of US dollars.
    Money,
    /// One line of text that keeps a rule.
    Text {
        /// The form in a few words, such as `a URL`.
        form: &'static str,
        /// Says what is wrong with a text.
        rule: Rule,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Text that is never shown.
    Secret,
    /// A string for `sh -c`, or an array as argument vector.
    Command,
    /// An array as argument vector; in the environment a JSON array.
    Argv,
    /// An array of strings or a comma-separated string; each item keeps a rule.
    List {
        /// The form of an item in a few words.
        form: &'static str,
        /// Says what is wrong with an item.
        rule: Rule,
    },
}

/// The longest text of one value, in bytes: a command line that long is a file.
const MAX_TEXT: usize = 16 * 1024;
/// The most items of an array.
const MAX_ITEMS: usize = 256;

/// A value that keeps its kind's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Unset,
    Flag(bool),
    Count(u32),
    Duration(Duration),
    Money(u64),
    Text(String),
    Secret(Secret),
    Command(CommandLine),
    List(Vec<String>),
}

/// What is wrong with a value, to follow the name of its key.
pub(super) struct Bad {
    /// Such as `must be a boolean, not a string`.
    pub message: String,
    /// The remedy, where the message does not say it.
    pub hint: Option<String>,
    /// The array item it is about.
    pub span: Option<std::ops::Range<usize>>,
}

fn bad(message: impl Into<String>) -> Bad {
    Bad { message: message.into(), hint: None, span: None }
}

impl Kind {
    /// How long something may take: from a tenth of a second to a week.
    pub(super) const TIMEOUT: Self =
        Self::Duration { min_ms: 100, max_ms: 604_800_000, or_off: false };
    /// The address of something to ask.
    pub(super) const URL: Self = Self::Text { form: "a URL", rule: rules::url };
    /// How often a stage may be attempted.
    pub(super) const ATTEMPTS: Self = Self::Count { min: 1, max: MAX_ATTEMPTS };

    /// The form in a few words, for people.
    pub fn form(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Duration { min_ms, max_ms, or_off } => {
                let show = |ms: &u64| format_duration(Duration::from_millis(*ms));
                let off = if *or_off { ", or 0 for off" } else { "" };
                format!("a duration from {} to {}{off}", show(min_ms), show(max_ms))
            }
            Self::Money => format!("US dollars, such as 12.50, up to {MAX_DOLLARS}"),
            Self::Text { form, .. } => (*form).to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::Secret => "a secret text".to_owned(),
            Self::Command => "a string (for sh -c) or an array of strings (argv)".to_owned(),
            Self::Argv => "an array of strings (argv, no shell implied)".to_owned(),
            Self::List { form, .. } => format!("an array or comma-separated list of {form}"),
        }
    }

    /// Reads a TOML value.
    pub(super) fn read_toml(self, value: &DeValue<'_>) -> Result<Value, Bad> {
        match (self, value) {
            (Self::Flag, DeValue::Boolean(flag)) => Ok(Value::Flag(*flag)),
            (Self::Count { min, max }, DeValue::Integer(number)) => {
                let count = i64::from_str_radix(number.as_str(), number.radix()).ok();
                self.count(count, min, max, number.as_str())
            }
            (Self::Duration { .. }, DeValue::Integer(number)) if number.as_str() == "0" => {
                self.read_text("0")
            }
            (Self::Duration { .. }, DeValue::Integer(number)) => Err(Bad {
                hint: Some(format!("say the unit, such as \"{}s\"", cut(number.as_str()))),
                ..bad("has no unit")
            }),
            (Self::Money, DeValue::Integer(number)) => self.read_text(number.as_str()),
            (Self::Money, DeValue::Float(number)) => self.read_text(number.as_str()),
            (Self::Command, DeValue::Array(items)) => {
                Ok(Value::Command(CommandLine::Argv(argv(items)?)))
            }
            (Self::Argv, DeValue::Array(items)) => Ok(Value::List(argv(items)?)),
            (Self::Argv, DeValue::String(text)) => Err(Bad {
                hint: Some(format!("for a shell write [\"sh\", \"-c\", {:?}]", cut(text))),
                ..bad("must be an array of strings, since no shell is implied")
            }),
            (Self::List { rule, .. }, DeValue::Array(items)) => list(items, rule),
            (
                Self::Duration { .. }
                | Self::Money
                | Self::Text { .. }
                | Self::Choice(_)
                | Self::Secret
                | Self::Command
                | Self::List { .. },
                DeValue::String(text),
            ) => self.read_text(text),
            _ => Err(bad(format!("must be {}, not {}", self.form(), type_name(value)))),
        }
    }

    /// Reads the text of an environment variable or a default.
    pub(super) fn read_text(self, text: &str) -> Result<Value, Bad> {
        if text.len() > MAX_TEXT {
            return Err(bad(format!("is {} bytes long; at most {MAX_TEXT} are read", text.len())));
        }
        match self {
            Self::Flag => flag(text),
            Self::Count { min, max } => self.count(text.trim().parse().ok(), min, max, text),
            Self::Duration { min_ms, max_ms, or_off } => {
                let duration = parse_duration(text.trim())
                    .map_err(|form| bad(format!("must be {form}, not {:?}", cut(text))))?;
                let bounds = Duration::from_millis(min_ms)..=Duration::from_millis(max_ms);
                let off = or_off && duration.is_zero();
                if off || bounds.contains(&duration) {
                    return Ok(Value::Duration(duration));
                }
                Err(bad(format!("must be {}, not {:?}", self.form(), cut(text))))
            }
            Self::Money => micros(text)
                .map(Value::Money)
                .ok_or_else(|| bad(format!("must be {}, not {}", self.form(), number(text)))),
            Self::Text { rule, .. } => kept(text, rule).map(Value::Text),
            Self::Choice(words) => {
                let found = words.iter().find(|word| **word == text);
                let hint = super::suggest::nearest(text, words.iter().copied());
                found.map(|word| Value::Text((*word).to_owned())).ok_or_else(|| Bad {
                    hint: super::suggest::did_you_mean(hint),
                    ..bad(format!("must be {}, not {:?}", self.form(), cut(text)))
                })
            }
            // What is wrong with a secret is told without showing it.
            Self::Secret
                if text.is_empty() || text.contains(|c: char| c.is_control() || c == ' ') =>
            {
                Err(bad("is empty or has a space or control character in it"))
            }
            Self::Secret => Ok(Value::Secret(Secret::new(text))),
            Self::Command => {
                kept(text, rules::command).map(|shell| Value::Command(CommandLine::Shell(shell)))
            }
            Self::Argv => json_argv(text),
            Self::List { rule, .. } => {
                let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
                let kept: Result<Vec<_>, _> = items.map(|item| kept(item, rule)).collect();
                kept.and_then(bounded).map(Value::List)
            }
        }
    }

    fn count(self, count: Option<i64>, min: u32, max: u32, given: &str) -> Result<Value, Bad> {
        count
            .and_then(|count| u32::try_from(count).ok())
            .filter(|count| (min..=max).contains(count))
            .map(Value::Count)
            .ok_or_else(|| bad(format!("must be {}, not {}", self.form(), number(given))))
    }
}

impl Value {
    /// The value for people; secrets masked, `None` where unset.
    pub fn shown(&self) -> Option<String> {
        Some(match self {
            Self::Unset => return None,
            Self::Flag(flag) => flag.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Duration(duration) => format_duration(*duration),
            Self::Money(micros) => dollars(*micros).trim_start_matches('$').to_owned(),
            Self::Text(text) => text.clone(),
            Self::Secret(_) => MASK.to_owned(),
            Self::Command(command) => command.to_string(),
            Self::List(items) => items.join(","),
        })
    }
}

/// A number as given; quoted where it is none.
fn number(given: &str) -> String {
    let plain = given.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '_'));
    if plain { cut(given) } else { format!("{:?}", cut(given)) }
}

fn flag(text: &str) -> Result<Value, Bad> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(Value::Flag(true)),
        "false" | "0" | "no" | "off" => Ok(Value::Flag(false)),
        _ => Err(bad(format!("must be true or false, not {:?}", cut(text)))),
    }
}

fn kept(text: &str, rule: Rule) -> Result<String, Bad> {
    match rule(text) {
        Ok(()) => Ok(text.to_owned()),
        Err(what) => Err(bad(format!("{what}, not {:?}", cut(text)))),
    }
}

fn bounded(items: Vec<String>) -> Result<Vec<String>, Bad> {
    if items.len() > MAX_ITEMS {
        return Err(bad(format!("has {} items; at most {MAX_ITEMS} are read", items.len())));
    }
    Ok(items)
}

fn list(items: &DeArray<'_>, rule: Rule) -> Result<Value, Bad> {
    let kept: Result<Vec<_>, _> = items
        .iter()
        .map(|item| {
            let at = |error: Bad| Bad { span: Some(item.span()), ..error };
            let text = item.get_ref().as_str().ok_or_else(|| {
                at(bad(format!("must hold strings only, not {}", type_name(item.get_ref()))))
            })?;
            kept(text, rule).map_err(at)
        })
        .collect();
    kept.and_then(bounded).map(Value::List)
}

fn argv(items: &DeArray<'_>) -> Result<Vec<String>, Bad> {
    match list(items, rules::argument)? {
        Value::List(argv) => checked_argv(argv),
        _ => Ok(Vec::new()),
    }
}

fn json_argv(text: &str) -> Result<Value, Bad> {
    let items: Vec<String> = serde_json::from_str(text).map_err(|_| {
        bad(format!("must be a JSON array such as [\"sh\", \"agent.sh\"], not {:?}", cut(text)))
    })?;
    let kept: Result<Vec<_>, _> = items.iter().map(|item| kept(item, rules::argument)).collect();
    kept.and_then(bounded).and_then(checked_argv).map(Value::List)
}

fn checked_argv(argv: Vec<String>) -> Result<Vec<String>, Bad> {
    match argv.first().map(|program| program.trim().is_empty()) {
        None => Err(bad("is an empty array; it needs a program at least")),
        Some(true) => Err(bad("begins with an empty program name")),
        Some(false) => Ok(argv),
    }
}

/// A given text cut to what fits a message.
pub(super) fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// The type of a TOML value with its article.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
