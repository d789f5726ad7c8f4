//! What is wrong with the settings, where, and the remedy.

use std::fmt;

/// Where a setting, or a problem with one, stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// On a line of a file.
    Line {
        /// The file, as the caller named it.
        path: String,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
        /// The line's text, cut; `None` where it may hold a secret.
        excerpt: Option<String>,
    },
    /// In a file as a whole: something is missing from it.
    File {
        /// The file, as the caller named it.
        path: String,
    },
    /// In an environment variable.
    Env {
        /// The variable.
        name: String,
    },
    /// Nowhere: it is the default.
    Default,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { path, line, column, .. } => write!(f, "{path}:{line}:{column}"),
            Self::File { path } => f.write_str(path),
            Self::Env { name } => write!(f, "environment variable {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value with the place it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// One problem with the settings. `Display` gives place, message and hint on one line and, for a
/// line of a file, that line below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// The remedy; `None` where the message says it all.
    pub hint: Option<String>,
}

/// Something accepted that does not do what its author may think. Shown like an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsWarning {
    /// Where.
    pub place: Place,
    /// What will surprise.
    pub message: String,
    /// The remedy, where there is one.
    pub hint: Option<String>,
}

impl SettingsError {
    /// A problem with its remedy.
    pub fn new(place: Place, message: impl Into<String>, hint: Option<String>) -> Self {
        Self { place, message: message.into(), hint }
    }

    /// The line from 1; `None` where the problem is not on a line of a file.
    pub fn line(&self) -> Option<usize> {
        match &self.place {
            Place::Line { line, .. } => Some(*line),
            _ => None,
        }
    }

    /// Files in their order, lines from the top, the environment last.
    pub(super) fn order(&self) -> (u8, &str, usize, usize) {
        match &self.place {
            Place::File { path } => (0, path, 0, 0),
            Place::Line { path, line, column, .. } => (0, path, *line, *column),
            Place::Env { name } => (1, name, 0, 0),
            Place::Default => (2, "", 0, 0),
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &self.place, &self.message, self.hint.as_deref())
    }
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, &self.place, &self.message, self.hint.as_deref())
    }
}

fn write(
    f: &mut fmt::Formatter<'_>,
    place: &Place,
    message: &str,
    hint: Option<&str>,
) -> fmt::Result {
    write!(f, "{place}: {message}")?;
    if let Some(hint) = hint {
        write!(f, "; {hint}")?;
    }
    if let Place::Line { line, excerpt: Some(excerpt), .. } = place {
        write!(f, "\n  {line} | {excerpt}")?;
    }
    Ok(())
}

/// Every problem of the settings at once; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsErrors(pub Vec<SettingsError>);

/// More errors than this help nobody: the rest is counted.
const SHOWN: usize = 30;

impl SettingsErrors {
    /// `Ok` of the value where there is no error, else the errors in the order of their places,
    /// each once.
    pub(crate) fn unless_none<T>(mut errors: Vec<SettingsError>, value: T) -> Result<T, Self> {
        if errors.is_empty() {
            return Ok(value);
        }
        errors.sort_by(|a, b| a.order().cmp(&b.order()));
        errors.dedup();
        Err(Self(errors))
    }
}

impl fmt::Display for SettingsErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().take(SHOWN).enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{error}")?;
        }
        match self.0.len().checked_sub(SHOWN) {
            Some(more) if more > 0 => write!(f, "\n… and {more} more"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for SettingsErrors {}
