//! One `orch.toml` as parsed, with the places of its keys and values.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Place, SettingsError};

/// The longest `orch.toml` that is read, in bytes: real ones are a thousandth of it.
pub const MAX_FILE_BYTES: usize = 1 << 20;
/// The longest excerpt of a line, in characters: what fits a terminal.
const MAX_EXCERPT: usize = 100;
/// Syntax errors beyond these are consequences of the first ones.
const MAX_SYNTAX_ERRORS: usize = 5;

/// A parsed file.
pub(super) struct Document<'a> {
    lines: Lines<'a>,
    root: DeTable<'a>,
}

impl<'a> Document<'a> {
    /// Parses; the errors are those of the TOML syntax.
    pub fn parse(path: &'a str, text: &'a str) -> Result<Self, Vec<SettingsError>> {
        if text.len() > MAX_FILE_BYTES {
            let message = format!("{} bytes long; at most {MAX_FILE_BYTES} are read", text.len());
            let place = Place::File { path: path.to_owned() };
            return Err(vec![SettingsError::new(place, message, None)]);
        }
        let lines = Lines::new(path, text);
        let (root, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            return Ok(Self { lines, root: root.into_inner() });
        }
        let told = errors.iter().take(MAX_SYNTAX_ERRORS).map(|error| {
            let message = format!("not valid TOML: {}", error.message().replace('\n', ", "));
            SettingsError::new(lines.place(error.span().unwrap_or(0..0)), message, None)
        });
        Err(told.collect())
    }

    /// The top-level tables and values.
    pub fn root(&self) -> &DeTable<'a> {
        &self.root
    }

    /// Where a key or value stands.
    pub fn place(&self, span: Range<usize>) -> Place {
        self.lines.place(span)
    }

    /// The table of that name, where it is one.
    pub fn table(&self, section: &str) -> Option<&DeTable<'a>> {
        self.root.get(section)?.get_ref().as_table()
    }

    /// The value of `section.name`, or of `section.instance.name`.
    pub fn value(
        &self,
        section: &str,
        instance: Option<&str>,
        name: &str,
    ) -> Option<&Spanned<DeValue<'a>>> {
        let table = self.table(section)?;
        match instance {
            None => table.get(name),
            Some(instance) => table.get(instance)?.get_ref().as_table()?.get(name),
        }
    }
}

/// Byte offsets to lines and columns.
struct Lines<'a> {
    path: &'a str,
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(path: &'a str, text: &'a str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(breaks.map(|(index, _)| index + 1)).collect();
        Self { path, text, starts }
    }

    fn place(&self, span: Range<usize>) -> Place {
        let at = span.start.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.starts[line - 1];
        let rest = self.text.get(start..).unwrap_or("");
        let whole = rest.split(['\n', '\r']).next().unwrap_or("");
        let before = self.text.get(start..at).unwrap_or("");
        Place::Line {
            path: self.path.to_owned(),
            line,
            column: before.chars().count() + 1,
            excerpt: excerpt(whole),
        }
    }
}

/// The line for people; `None` where it is empty or may hold a secret.
fn excerpt(line: &str) -> Option<String> {
    let lower: String = line.chars().take(4096).flat_map(char::to_lowercase).collect();
    let secret =
        ["token", "secret", "password", "database_url", "access_key", "webhook_url", "slack_url"];
    let credentials = lower.contains("://") && lower.contains('@');
    if line.trim().is_empty() || credentials || secret.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let clean = |c: char| if c.is_control() && c != '\t' { '\u{fffd}' } else { c };
    let mut shown: String = line.trim_end().chars().take(MAX_EXCERPT).map(clean).collect();
    if line.trim_end().chars().nth(MAX_EXCERPT).is_some() {
        shown.push('…');
    }
    Some(shown)
}
