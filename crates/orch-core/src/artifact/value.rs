//! The small tree that a front matter becomes.

/// A value of a front matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or a plain `null`.
    Null,
    /// Text; numbers and booleans are not told apart from it.
    Scalar(Scalar),
    /// A list.
    List(Vec<Value>),
    /// A mapping; its keys differ by more than case.
    Map(Vec<(String, Value)>),
}

/// A scalar of a front matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar {
    /// The text, unescaped.
    pub text: String,
    /// True where it stood in quotes or in a block, so that it can't be a number or a boolean.
    pub quoted: bool,
}

impl Value {
    /// The text of a scalar; `None` for everything else.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Scalar(scalar) => Some(&scalar.text),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The value of a mapping's key, looked up without regard to case.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(entries) => lookup(entries, key),
            Self::Null | Self::Scalar(_) | Self::List(_) => None,
        }
    }

    /// The value for people, at most 60 characters of it.
    pub fn shown(&self) -> String {
        match self {
            Self::Null => "empty".to_owned(),
            Self::Scalar(scalar) if scalar.text.chars().nth(60).is_some() => {
                format!("{:?}…", scalar.text.chars().take(60).collect::<String>())
            }
            Self::Scalar(scalar) => format!("{:?}", scalar.text),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// What keys are compared by: `Result` and `result ` are the same key.
pub(super) fn canonical(key: &str) -> String {
    key.trim().to_lowercase()
}

/// Finds a key without regard to case.
pub(super) fn lookup<'a>(entries: &'a [(String, Value)], key: &str) -> Option<&'a Value> {
    let wanted = canonical(key);
    entries.iter().find(|(key, _)| canonical(key) == wanted).map(|(_, value)| value)
}
