//! The fields of a table of a script, each with its line.

use std::borrow::Cow;
use std::time::Duration;

use orch_core::settings::parse_duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::ScriptError;

/// The longest word that is compared with the known ones: comparing costs.
const MAX_COMPARED: usize = 40;

/// Where the lines of a script end. Kept, since a long script has many tables to place.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// Notes the ends of a text's lines.
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at).collect())
    }

    /// The line of an offset, from 1.
    pub(super) fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }
}

/// A table whose keys are all known.
pub(super) struct Fields<'a, 'i> {
    lines: &'a Lines,
    table: &'a DeTable<'i>,
    /// The line that the table begins on.
    pub(super) line: usize,
}

impl<'a, 'i> Fields<'a, 'i> {
    /// Takes a table up; `what` names it in messages. Fails on the first key that is not known.
    pub(super) fn open(
        lines: &'a Lines,
        what: &str,
        offset: usize,
        table: &'a DeTable<'i>,
        known: &[&str],
    ) -> Result<Self, ScriptError> {
        let unknown = |key: &&Spanned<Cow<'_, str>>| !known.contains(&name(key));
        let first = table.keys().filter(unknown).min_by_key(|key| key.span().start);
        if let Some(key) = first {
            let given = name(key);
            let remedy = nearest(given, known).map_or_else(
                || format!("known are {}", known.join(", ")),
                |word| format!("did you mean `{word}`?"),
            );
            let given: String = given.chars().take(MAX_COMPARED).collect();
            let message = format!("unknown key {given:?} in {what}; {remedy}");
            return Err(ScriptError::Invalid { line: lines.at(key.span().start), message });
        }
        Ok(Self { lines, table, line: lines.at(offset) })
    }

    /// Takes up a table within this one.
    pub(super) fn inner(
        &self,
        what: &str,
        table: &'a DeTable<'i>,
        known: &[&str],
    ) -> Result<Self, ScriptError> {
        let inner = Self::open(self.lines, what, 0, table, known)?;
        Ok(Self { line: self.line, ..inner })
    }

    /// The value of a key and its offset.
    pub(super) fn get(&self, key: &str) -> Option<(&'a DeValue<'i>, usize)> {
        let found = self.table.iter().find(|(name, _)| name.get_ref() == key);
        found.map(|(_, value)| (value.get_ref(), value.span().start))
    }

    /// Whether the key is there.
    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// A text; `None` where the key is absent.
    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, ScriptError> {
        let Some((value, _)) = self.get(key) else { return Ok(None) };
        value.as_str().map(Some).ok_or_else(|| self.wrong(key, "a text"))
    }

    /// A switch; false where the key is absent.
    pub(super) fn flag(&self, key: &str) -> Result<bool, ScriptError> {
        let Some((value, _)) = self.get(key) else { return Ok(false) };
        value.as_bool().ok_or_else(|| self.wrong(key, "true or false"))
    }

    /// A humane duration; `None` where the key is absent.
    pub(super) fn duration(&self, key: &str) -> Result<Option<Duration>, ScriptError> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        parse_duration(text).map(Some).map_err(|form| self.wrong(key, &form))
    }

    /// A whole number from zero; `None` where the key is absent.
    pub(super) fn whole(&self, key: &str) -> Result<Option<u64>, ScriptError> {
        let Some((value, _)) = self.get(key) else { return Ok(None) };
        let number = value
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        number.map(Some).ok_or_else(|| self.wrong(key, "a whole number, 0 or more"))
    }

    /// An amount from zero; `None` where the key is absent.
    pub(super) fn amount(&self, key: &str) -> Result<Option<f64>, ScriptError> {
        let Some((value, _)) = self.get(key) else { return Ok(None) };
        let text = value
            .as_float()
            .map(toml::de::DeFloat::as_str)
            .or_else(|| value.as_integer().map(toml::de::DeInteger::as_str));
        let number = text.and_then(|text| text.parse::<f64>().ok());
        let number = number.filter(|number| number.is_finite() && *number >= 0.0);
        number.map(Some).ok_or_else(|| self.wrong(key, "an amount, 0 or more"))
    }

    /// The error of a value that is not what its key needs.
    pub(super) fn wrong(&self, key: &str, form: &str) -> ScriptError {
        let offset = self.get(key).map(|(_, offset)| offset);
        let line = offset.map_or(self.line, |offset| self.lines.at(offset));
        ScriptError::Invalid { line, message: format!("`{key}` must be {form}") }
    }

    /// An error of the table as a whole.
    pub(super) fn invalid(&self, message: String) -> ScriptError {
        ScriptError::Invalid { line: self.line, message }
    }
}

fn name<'k>(key: &'k Spanned<Cow<'_, str>>) -> &'k str {
    key.get_ref()
}

/// The known word that was likely meant.
pub(super) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    if given.len() > MAX_COMPARED {
        return None;
    }
    let limit = (given.chars().count() / 3).clamp(1, 4);
    let distances = known.iter().map(|word| (strsim::damerau_levenshtein(given, word), *word));
    distances.filter(|(far, _)| *far <= limit).min().map(|(_, word)| word)
}
