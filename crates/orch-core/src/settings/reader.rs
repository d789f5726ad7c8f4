//! Looks each setting up in its layers, checks it, and notes where it came from.

use std::collections::BTreeSet;
use std::time::Duration;

use super::command::CommandLine;
use super::document::Document;
use super::error::{Place, Placed, SettingsError};
use super::key::Key;
use super::kind::{Bad, Kind, Value};
use super::load::Env;
use super::secret::Secret;
use super::size::parse_size;

/// An effective setting with its source, for `orch config show`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key, such as `test_runner.timeout`.
    pub key: String,
    /// The environment variable that overrides it.
    pub env: String,
    /// The value as one would write it; secrets masked, `None` where unset.
    pub value: Option<String>,
    /// Where it came from.
    pub source: Source,
}

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody set it.
    Default,
    /// A line of a file.
    File {
        /// The file, as the caller named it.
        path: String,
        /// From 1.
        line: usize,
    },
    /// The environment variable of that name.
    Env(String),
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Env(name) => write!(f, "environment {name}"),
        }
    }
}

/// A value that somebody set.
pub(super) struct Found {
    pub value: Value,
    pub place: Place,
    /// Which layer it came from: a later one wins, the environment over all.
    pub rank: usize,
}

/// The layers and what was found in them so far.
pub(super) struct Reader<'a> {
    layers: &'a [Document<'a>],
    env: &'a Env,
    pub errors: Vec<SettingsError>,
    pub shown: Vec<Setting>,
}

impl<'a> Reader<'a> {
    /// Reads from files, the winning one last, and the environment over them.
    pub fn new(layers: &'a [Document<'a>], env: &'a Env) -> Self {
        Self { layers, env, errors: Vec::new(), shown: Vec::new() }
    }

    /// The instances of a section that any file names.
    pub fn instances(&self, section: &str) -> BTreeSet<&'a str> {
        let tables = self.layers.iter().filter_map(|layer| layer.table(section));
        tables.flat_map(|table| table.keys().map(|key| key.get_ref().as_ref())).collect()
    }

    /// Where an instance's table begins, in the winning file that has one.
    pub fn header(&self, section: &str, instance: &str) -> Option<Place> {
        self.layers.iter().rev().find_map(|layer| {
            let (key, _) = layer.table(section)?.get_key_value(instance)?;
            Some(layer.place(key.span()))
        })
    }

    /// What somebody set, if it is valid; an invalid one is reported.
    pub fn found(&mut self, key: &Key, instance: Option<&str>) -> Option<Found> {
        let found = self.look_up(key, instance)?;
        self.note(key, instance, &found.value, &found.place);
        Some(found)
    }

    fn look_up(&mut self, key: &Key, instance: Option<&str>) -> Option<Found> {
        let name = key.variable(instance);
        if let Some(text) = self.env.get(&name).filter(|text| !text.is_empty()) {
            let place = Place::Env { name };
            let value = self.accept(key, instance, key.kind.read_text(text), &place)?;
            return Some(Found { value, place, rank: usize::MAX });
        }
        let layers = self.layers;
        let (rank, layer, node) = layers.iter().enumerate().rev().find_map(|(rank, layer)| {
            let node = layer.value(key.section, instance, key.name)?;
            Some((rank, layer, node))
        })?;
        let read = key.kind.read_toml(node.get_ref());
        let span = read.as_ref().err().and_then(|bad| bad.span.clone());
        let place = layer.place(span.unwrap_or_else(|| node.span()));
        let value = self.accept(key, instance, read, &place)?;
        Some(Found { value, place, rank })
    }

    fn accept(
        &mut self,
        key: &Key,
        instance: Option<&str>,
        read: Result<Value, Bad>,
        place: &Place,
    ) -> Option<Value> {
        match read {
            Ok(value) => Some(value),
            Err(bad) => {
                let message = format!("`{}` {}", key.path(instance), bad.message);
                self.errors.push(SettingsError::new(place.clone(), message, bad.hint));
                None
            }
        }
    }

    /// Whether nobody set it, validly or not.
    pub fn is_unset(&self, key: &Key) -> bool {
        let in_env = self.env.get(&key.variable(None)).is_some_and(|text| !text.is_empty());
        let in_file = |layer: &Document<'_>| layer.value(key.section, None, key.name).is_some();
        !in_env && !self.layers.iter().any(in_file)
    }

    /// Notes an effective setting.
    pub fn note(&mut self, key: &Key, instance: Option<&str>, value: &Value, place: &Place) {
        let source = match place {
            Place::Line { path, line, .. } => Source::File { path: path.clone(), line: *line },
            Place::Env { name } => Source::Env(name.clone()),
            Place::File { .. } | Place::Default => Source::Default,
        };
        let (key, env) = (key.path(instance), key.variable(instance));
        self.shown.push(Setting { key, env, value: value.shown(), source });
    }

    /// What somebody set or, where nobody did, the default.
    pub fn value(&mut self, key: &Key) -> (Value, Place) {
        self.value_of(key, None)
    }

    /// The same for one instance of a section.
    pub fn value_of(&mut self, key: &Key, instance: Option<&str>) -> (Value, Place) {
        if let Some(found) = self.found(key, instance) {
            return (found.value, found.place);
        }
        let value = default(key);
        self.note(key, instance, &value, &Place::Default);
        (value, Place::Default)
    }

    /// A [`Kind::Flag`].
    pub fn flag(&mut self, key: &Key) -> bool {
        matches!(self.value(key).0, Value::Flag(true))
    }

    /// A [`Kind::Count`] that has a default.
    pub fn count(&mut self, key: &Key) -> u32 {
        self.count_if_set(key).unwrap_or_default()
    }

    /// A [`Kind::Count`]; `None` where it is unset and has no default.
    pub fn count_if_set(&mut self, key: &Key) -> Option<u32> {
        match self.value(key).0 {
            Value::Count(count) => Some(count),
            _ => None,
        }
    }

    /// A [`Kind::Money`], in millionths of a US dollar; `None` where it is unset.
    pub fn money(&mut self, key: &Key) -> Option<u64> {
        match self.value(key).0 {
            Value::Money(micros) => Some(micros),
            _ => None,
        }
    }

    /// A [`Kind::Duration`] that has a default.
    pub fn duration(&mut self, key: &Key) -> Duration {
        self.value(key).0.duration().unwrap_or_default()
    }

    /// A [`Kind::Text`] or [`Kind::Choice`]; `None` where it is unset.
    pub fn text(&mut self, key: &Key) -> Option<String> {
        self.value(key).0.text()
    }

    /// A size in bytes; `None` where it is off or unset.
    pub fn size(&mut self, key: &Key) -> Option<u64> {
        self.text(key).as_deref().and_then(parse_size).filter(|bytes| *bytes > 0)
    }

    /// A [`Kind::Secret`]; `None` where it is unset.
    pub fn secret(&mut self, key: &Key) -> Option<Secret> {
        self.value(key).0.secret()
    }

    /// A [`Kind::Command`]; `None` where it is unset.
    pub fn command(&mut self, key: &Key) -> Option<CommandLine> {
        match self.value(key).0 {
            Value::Command(command) => Some(command),
            _ => None,
        }
    }

    /// A [`Kind::List`]; empty where it is unset.
    pub fn list(&mut self, key: &Key) -> Vec<String> {
        self.value(key).0.list().unwrap_or_default()
    }

    /// A text with its place, where somebody set it.
    pub fn placed_text(&mut self, key: &Key, instance: Option<&str>) -> Option<Placed<String>> {
        let found = self.found(key, instance)?;
        Some(Placed { value: found.value.text()?, place: found.place })
    }

    /// A list with a place for each item, where somebody set it.
    pub fn placed_list(&mut self, key: &Key) -> Option<Placed<Vec<Placed<String>>>> {
        let found = self.found(key, None)?;
        let items = found.value.list()?;
        let node = self.layers.get(found.rank).and_then(|layer| {
            let array = layer.value(key.section, None, key.name)?.get_ref().as_array()?;
            Some((layer, array))
        });
        let place = |index: usize| match node
            .and_then(|(layer, array)| Some(layer.place(array.get(index)?.span())))
        {
            Some(place) => place,
            None => found.place.clone(),
        };
        let value = items.into_iter().enumerate();
        let value = value.map(|(index, value)| Placed { value, place: place(index) }).collect();
        Some(Placed { value, place: found.place })
    }
}

impl Value {
    /// The duration, where it is one.
    pub fn duration(&self) -> Option<Duration> {
        match self {
            Self::Duration(duration) => Some(*duration),
            _ => None,
        }
    }

    /// The count, where it is one.
    pub fn count(&self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(*count),
            _ => None,
        }
    }

    /// The text, where it is one.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Yes or no, where it is one.
    pub fn flag(&self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The secret, where it is one.
    pub fn secret(self) -> Option<Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            _ => None,
        }
    }

    /// The items, where it is a list.
    pub fn list(self) -> Option<Vec<String>> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }
}

/// The default of a key; a test reads every one.
fn default(key: &Key) -> Value {
    match (key.default, key.kind) {
        ("", Kind::List { .. }) => Value::List(Vec::new()),
        ("", _) => Value::Unset,
        (text, kind) => kind.read_text(text).unwrap_or(Value::Unset),
    }
}
