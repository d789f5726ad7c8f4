//! Why an artifact can't be read: every way is a refusal with its own words and remedy.

/// Why an artifact's front matter can't be read without doubt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArtifactProblem {
    /// No file.
    #[error("there is no such file; the producer of this stage has to write it")]
    Absent,
    /// A symbolic link.
    #[error("it is a symbolic link; write a regular file")]
    Symlink,
    /// Neither file nor link.
    #[error("it is not a regular file; write a regular file")]
    NotAFile,
    /// Over the limit.
    #[error("it has {bytes} bytes and at most 1048576 (1 MiB) are read; shorten it")]
    TooLarge {
        /// Its size.
        bytes: u64,
    },
    /// The system refused.
    #[error("it can't be read: {reason}")]
    Unreadable {
        /// The system's words.
        reason: String,
    },
    /// Bytes that are no text.
    #[error("it is not valid UTF-8 from byte {offset} on; save it as UTF-8")]
    InvalidUtf8 {
        /// The first byte that is not UTF-8, counted from 0.
        offset: usize,
    },
    /// The first line is not `---`.
    #[error("no front matter: the first line has to be `---`")]
    NoFrontMatter,
    /// No second `---` line.
    #[error("the front matter that begins in line 1 has no closing `---` line")]
    Unterminated,
    /// Over the limit.
    #[error("the front matter has {bytes} bytes and at most 262144 (256 KiB) are read")]
    FrontMatterTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// A character that YAML forbids or that readers take differently.
    #[error("line {line} of the front matter holds the control character U+{code:04X}; remove it")]
    ControlCharacter {
        /// Line of the file, from 1.
        line: usize,
        /// The character's code point.
        code: u32,
    },
    /// `...`, `--- x` or a second document.
    #[error("line {line}: the front matter holds a second YAML document; one is allowed")]
    SecondDocument {
        /// Line of the file, from 1.
        line: usize,
    },
    /// Not YAML.
    #[error("line {line}: the front matter is not valid YAML: {message}")]
    Yaml {
        /// Line of the file, from 1.
        line: usize,
        /// The parser's words.
        message: String,
    },
    /// A list or a scalar.
    #[error("the front matter is not a mapping of `key: value` lines")]
    NotAMapping,
    /// The same key again.
    #[error("line {line}: the key `{key}` is repeated; keys differ by more than case")]
    RepeatedKey {
        /// The key as written the second time.
        key: String,
        /// Line of the file, from 1.
        line: usize,
    },
    /// A key that is empty, a list or a mapping.
    #[error("line {line}: a key has to be plain text")]
    OddKey {
        /// Line of the file, from 1.
        line: usize,
    },
    /// Anchors, aliases, tags, merge keys: ways to say something elsewhere.
    #[error("line {line}: the front matter uses {what}, which is not allowed; write the value out")]
    Forbidden {
        /// Such as `an anchor`.
        what: &'static str,
        /// Line of the file, from 1.
        line: usize,
    },
    /// Over the limit.
    #[error("line {line}: the front matter is nested more than {} deep", super::yaml::MAX_DEPTH)]
    TooDeep {
        /// Line of the file, from 1.
        line: usize,
    },
    /// Over the limit.
    #[error("the front matter holds more than {} values", super::yaml::MAX_NODES)]
    TooManyValues,
}
