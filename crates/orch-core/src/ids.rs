//! A newtype for every identifier, validated where it enters, so that one can't stand in for
//! another and none can smuggle a path or a flag into a command line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Says which identifier was malformed and what form it must have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not a valid {what}: {rule}")]
pub struct IdError {
    /// The kind of identifier, such as `repository name`.
    pub what: &'static str,
    /// What was given, cut to 80 characters.
    pub given: String,
    /// The form that is expected.
    pub rule: &'static str,
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the text form; the rule is in the error.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    let given = text.chars().take(80).collect();
                    Err(IdError { what: $what, given, rule: $rule })
                }
            }

            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

fn within(text: &str, max: usize, first: fn(char) -> bool, rest: fn(char) -> bool) -> bool {
    let mut chars = text.chars();
    text.len() <= max && chars.next().is_some_and(first) && chars.all(rest)
}

fn kebab(text: &str) -> bool {
    within(
        text,
        40,
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
    )
}

text_id!(
    /// A registered repository's name; it names folders and lock rows, so it is one plain word.
    RepoName,
    "repository name",
    "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit, without '..'",
    |t| {
        within(
            t,
            64,
            |c| c.is_ascii_alphanumeric(),
            |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'),
        ) && !t.contains("..")
            && !t.ends_with(".lock")
            && !t.ends_with('.')
    }
);
text_id!(
    /// A stage of a pipeline, such as `deploy-staging`.
    StageName,
    "stage name",
    "1 to 40 lower-case letters, digits or '-', beginning with a letter",
    kebab
);
text_id!(
    /// Who does a stage's work: an agent's role or a reserved runner, such as `test-runner`.
    AgentName,
    "agent name",
    "1 to 40 lower-case letters, digits or '-', beginning with a letter",
    kebab
);
text_id!(
    /// What a worker has and a stage may need, such as `gpu` or `staging-host`.
    Label,
    "label",
    "1 to 40 lower-case letters, digits or '-', beginning with a letter",
    kebab
);
text_id!(
    /// One execution of a job. Sorts by time of creation; names the run's directory.
    RunId,
    "run id",
    "8 to 64 lower-case letters, digits or '-', beginning with a letter",
    |t| t.len() >= 8
        && within(
            t,
            64,
            |c| c.is_ascii_lowercase(),
            |c| { c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' }
        )
);
text_id!(
    /// A worker: one per state directory, kept across restarts so that it can re-adopt its runs.
    WorkerId,
    "worker id",
    "1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit",
    |t| within(
        t,
        64,
        |c| c.is_ascii_alphanumeric(),
        |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
    )
);
text_id!(
    /// A full git object id of a commit, in lower-case hex (SHA-1 or SHA-256).
    Revision,
    "revision",
    "40 or 64 lower-case hexadecimal digits",
    hex_object
);
text_id!(
    /// A version of the program as it is installed: the revision it was built from, else a name of
    /// its own. Names its folder.
    VersionName,
    "version",
    "1 to 80 letters, digits, '.', '_' or '-', beginning with a letter or digit",
    |t| within(
        t,
        80,
        |c| c.is_ascii_alphanumeric(),
        |c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
    )
);
text_id!(
    /// A git tree id: two commits with the same tree hold the same files.
    TreeId,
    "tree id",
    "40 or 64 lower-case hexadecimal digits",
    hex_object
);
text_id!(
    /// The prefix of a repository's task keys, such as `ORCH`.
    KeyPrefix,
    "key prefix",
    "1 to 16 upper-case letters, digits or '_', beginning with a letter",
    |t| within(
        t,
        16,
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'
    )
);

fn hex_object(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

impl RunId {
    /// Makes an id from the time of creation (Unix milliseconds) and 64 random bits.
    pub fn from_parts(unix_ms: i64, random: u64) -> Self {
        Self(format!("r-{:011x}-{random:016x}", unix_ms.max(0)))
    }
}

impl Revision {
    /// The first 10 digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

/// The key of a task: its repository's prefix and a number, such as `ORCH-126`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TaskKey {
    prefix: KeyPrefix,
    number: u32,
}

impl TaskKey {
    /// Joins a prefix and a number; numbers begin at 1.
    pub fn new(prefix: KeyPrefix, number: u32) -> Self {
        Self { prefix, number }
    }

    /// The running number within the repository.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The branch that carries the task's work: `orch/<KEY>`.
    pub fn branch(&self) -> String {
        format!("orch/{self}")
    }

    /// The folder of the task's artifacts, relative to the worktree: `docs/work-items/<KEY>`.
    pub fn artifact_dir(&self) -> String {
        format!("{WORK_ITEMS_DIR}/{self}")
    }
}

/// Where artifacts of all tasks live in a repository.
pub const WORK_ITEMS_DIR: &str = "docs/work-items";

impl fmt::Display for TaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.prefix, self.number)
    }
}

impl FromStr for TaskKey {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = || IdError {
            what: "task key",
            given: text.chars().take(80).collect(),
            rule: "a prefix, '-', and a number from 1, such as ORCH-126",
        };
        let (prefix, number) = text.rsplit_once('-').ok_or_else(error)?;
        let canonical = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
        let number: u32 = number.parse().map_err(|_| error())?;
        if !canonical {
            return Err(error());
        }
        Ok(Self { prefix: KeyPrefix::new(prefix).map_err(|_| error())?, number })
    }
}

impl TryFrom<String> for TaskKey {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<TaskKey> for String {
    fn from(key: TaskKey) -> String {
        key.to_string()
    }
}

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

row_id!(
    /// A task's row; rises with submission, so it is the FIFO order.
    TaskId
);
row_id!(
    /// A job's row.
    JobId
);
row_id!(
    /// A repository's row.
    RepoId
);
row_id!(
    /// A deploy's row; rises with its beginning.
    DeployId
);
row_id!(
    /// An event's sequence number; rises by commit, never reused.
    EventId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_be_paths_or_flags_are_refused() {
        for bad in ["", "..", "a/b", "-rf", "a..b", "a b", "é", "x.lock", "a\n", "a."] {
            assert!(RepoName::new(bad).is_err(), "{bad:?} passed");
        }
        for good in ["hello", "Hello_2.x-y", "9lives"] {
            assert!(RepoName::new(good).is_ok(), "{good:?} refused");
        }
    }

    #[test]
    fn task_keys_have_one_spelling() {
        for bad in [
            "",
            "ORCH",
            "ORCH-",
            "ORCH-0",
            "ORCH-01",
            "orch-1",
            "ORCH--1",
            "ORCH-+1",
            "A-99999999999",
        ] {
            assert!(bad.parse::<TaskKey>().is_err(), "{bad:?} passed");
        }
        let key: TaskKey = "ORCH-126".parse().unwrap();
        assert_eq!((key.number(), key.branch().as_str()), (126, "orch/ORCH-126"));
    }

    #[test]
    fn run_ids_sort_by_time() {
        assert!(RunId::from_parts(1_000, u64::MAX) < RunId::from_parts(1_001, 0));
    }
}
