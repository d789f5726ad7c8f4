//! The front matter of an artifact: found, bounded, parsed; the one place verdict fields are read
//! from.

use super::value::{Value, lookup};
use super::{ArtifactContent, ArtifactProblem, yaml};

/// The largest front matter that is parsed: a long list of findings is a tenth of it.
pub const MAX_FRONT_MATTER_BYTES: usize = 256 * 1024;

/// A parsed front matter and the body after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrontMatter {
    fields: Vec<(String, Value)>,
    body: String,
}

impl FrontMatter {
    /// Parses an artifact. The front matter begins in the first line with `---` and ends with the
    /// next line that is `---`; UTF-8 with or without a byte order mark, LF or CRLF.
    pub fn parse(content: &ArtifactContent) -> Result<Self, ArtifactProblem> {
        let text = content.read()?;
        let (inner, body) = split(text)?;
        check_characters(inner)?;
        check_indentation(inner)?;
        let fields = match yaml::parse(inner, 1)? {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Map(fields)) => fields,
            Some(Value::Scalar(_) | Value::List(_)) => return Err(ArtifactProblem::NotAMapping),
        };
        Ok(Self { fields, body: body.to_owned() })
    }

    /// A top-level field, looked up without regard to case; `None` where it is absent.
    pub fn get(&self, key: &str) -> Option<&Value> {
        lookup(&self.fields, key)
    }

    /// Every top-level field as written, in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Everything after the closing line.
    pub fn body(&self) -> &str {
        &self.body
    }
}

/// The body of a text: what comes after its front matter, or all of it where it has none.
pub(super) fn body_of(text: &str) -> &str {
    split(text).map_or(text, |(_, body)| body)
}

fn split(text: &str) -> Result<(&str, &str), ArtifactProblem> {
    let mut offset = 0;
    let mut start = None;
    for (index, raw) in text.split_inclusive('\n').enumerate() {
        let end = offset + raw.len();
        let line = raw.trim_end_matches(['\n', '\r', ' ', '\t']);
        match (index, start) {
            (0, _) if line == "---" => start = Some(end),
            (_, None) => return Err(ArtifactProblem::NoFrontMatter),
            (_, Some(start)) if line == "---" => {
                return bounded(&text[start..offset], &text[end..]);
            }
            (_, Some(_)) if is_document_mark(line) => {
                return Err(ArtifactProblem::SecondDocument { line: index + 1 });
            }
            _ => {}
        }
        offset = end;
    }
    match start {
        None => Err(ArtifactProblem::NoFrontMatter),
        Some(_) => Err(ArtifactProblem::Unterminated),
    }
}

/// `...` ends a YAML document and `--- x` begins one: the text after either is another document.
fn is_document_mark(line: &str) -> bool {
    let mark = line.get(..3).is_some_and(|mark| mark == "..." || mark == "---");
    mark && (line.len() == 3 || line[3..].starts_with([' ', '\t']))
}

fn bounded<'a>(inner: &'a str, body: &'a str) -> Result<(&'a str, &'a str), ArtifactProblem> {
    if inner.len() > MAX_FRONT_MATTER_BYTES {
        return Err(ArtifactProblem::FrontMatterTooLarge { bytes: inner.len() });
    }
    Ok((inner, body))
}

/// Refuses what YAML forbids raw, and the breaks that some readers take for a new line.
fn check_characters(inner: &str) -> Result<(), ArtifactProblem> {
    let mut line = 2;
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        let allowed = match c {
            '\n' => {
                line += 1;
                true
            }
            '\t' => true,
            '\r' => chars.peek() == Some(&'\n'),
            _ => !is_unsafe(c),
        };
        if !allowed {
            return Err(ArtifactProblem::ControlCharacter { line, code: c.into() });
        }
    }
    Ok(())
}

/// Refuses lines that begin with a tab: YAML forbids it, and lenient readers differ about it.
fn check_indentation(inner: &str) -> Result<(), ArtifactProblem> {
    match inner.lines().position(|line| line.starts_with('\t') && !line.trim().is_empty()) {
        None => Ok(()),
        Some(index) => Err(ArtifactProblem::Yaml {
            line: index + 2,
            message: "a tab can't indent; use spaces".to_owned(),
        }),
    }
}

/// True for characters that are written escaped or not at all.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}
