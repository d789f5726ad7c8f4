//! The words within directives: how work ends, how an effect fails, what is expected.

use std::fmt;
use std::str::FromStr;

use orch_core::ids::TaskKey;

use super::{Span, Worker};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
        }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in a script.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }

        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|one| one.word() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|one| one.word()).collect();
                    format!("{text:?} is not {}; there are {}", $what, known.join(", "))
                })
            }
        }
    };
}

words! {
    /// How the work of a run ends.
    End, "an end of work" {
        /// It did what was asked; its gate will pass.
        Pass = "pass",
        /// It ran, and its gate will find it wanting.
        Fail = "fail",
        /// It ran, and left nothing that a gate could judge.
        Refused = "refused",
        /// The network or the disk failed under it for a moment.
        Transient = "transient",
        /// ssh lost its connection: exit 255, which alone says nothing.
        Ssh = "ssh",
        /// Its environment lacks something.
        Permanent = "permanent",
        /// The provider asked for an hour's patience.
        RateLimit = "rate-limit",
        /// It ran into its absolute limit.
        Timeout = "timeout",
        /// It fell silent.
        Stall = "stall",
        /// The system killed it.
        Killed = "killed",
        /// Its supervisor vanished with it and left no exit.
        Lost = "lost",
    }
}

words! {
    /// How the next effect fails.
    Fault, "a fault" {
        /// The database does the write, and the answer is lost.
        LostReply = "lost-reply",
        /// The write is delivered twice.
        Twice = "twice",
        /// The disk is full: nothing of the write is done.
        DiskFull = "disk-full",
        /// The database is locked by somebody else.
        Locked = "locked",
        /// The write takes ninety seconds.
        Slow = "slow",
        /// The service dies before the write.
        CrashBefore = "crash-before",
        /// The service dies after the write.
        CrashAfter = "crash-after",
        /// git fails for a moment.
        GitFail = "git-fail",
        /// git does it, and the answer is lost.
        GitLostReply = "git-lost-reply",
        /// The service dies before git does anything.
        GitCrashBefore = "git-crash-before",
        /// The service dies after git has done it.
        GitCrashAfter = "git-crash-after",
        /// The supervisor can't be started.
        SpawnFail = "spawn-fail",
        /// The service dies before the supervisor is started.
        SpawnCrashBefore = "spawn-crash-before",
        /// The service dies after the supervisor was started.
        SpawnCrashAfter = "spawn-crash-after",
        /// A worktree can't be removed.
        RemoveFail = "remove-fail",
        /// The service dies before the worktree is removed.
        RemoveCrash = "remove-crash",
    }
}

/// Which effects a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A write to the database.
    Write,
    /// Anything that git does.
    Git,
    /// The start of a supervisor.
    Spawn,
    /// The removal of a worktree.
    Remove,
}

impl Fault {
    /// The effect that it strikes.
    pub fn effect(self) -> Effect {
        match self {
            Self::LostReply
            | Self::Twice
            | Self::DiskFull
            | Self::Locked
            | Self::Slow
            | Self::CrashBefore
            | Self::CrashAfter => Effect::Write,
            Self::GitFail | Self::GitLostReply | Self::GitCrashBefore | Self::GitCrashAfter => {
                Effect::Git
            }
            Self::SpawnFail | Self::SpawnCrashBefore | Self::SpawnCrashAfter => Effect::Spawn,
            Self::RemoveFail | Self::RemoveCrash => Effect::Remove,
        }
    }
}

/// Whose effects a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A worker's.
    At(Worker),
    /// Those of the API, through which operators act.
    Api,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(worker) => worker.fmt(f),
            Self::Api => f.write_str("api"),
        }
    }
}

/// What has to be so at this point of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// A word about a task: `queued`, `running`, `held`, `done`, `cancelled`, `paused`, `inside`
    /// or `outside` the serial gate.
    Is(TaskKey, String),
    /// A number or name of a task: `stage`, `landed`, `defers`, `crashes`, `attempts`, `bounces`,
    /// `epoch`.
    Has(TaskKey, String, String),
    /// A number of a worker: `worktrees`, `alive`, `driving`.
    Count(Worker, String, usize),
}

impl fmt::Display for Expect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(key, word) => write!(f, "{key} {word}"),
            Self::Has(key, name, value) => write!(f, "{key} {name} {value}"),
            Self::Count(worker, name, number) => write!(f, "{worker} {name} {number}"),
        }
    }
}

/// How long the slow disk takes.
pub const SLOW: Span = Span(90_000);
