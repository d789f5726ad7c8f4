//! The one event type that every agent's output becomes.

use jiff::{SignedDuration, Timestamp};
use orch_core::outcome::Fault;

use super::usage::Usage;

/// Something that an agent told.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentEvent {
    /// The session it works in, by which it can be resumed.
    Session {
        /// Its name, as the program spells it.
        id: String,
    },
    /// Plain output, or what the model says.
    Text(String),
    /// It uses a tool.
    ToolCall {
        /// The tool.
        name: String,
        /// What it is used for; empty where that is not said. Bounded.
        detail: String,
    },
    /// A tool has answered.
    ToolResult {
        /// Whether the tool did what was asked.
        ok: bool,
        /// The beginning of its answer. Bounded.
        detail: String,
    },
    /// It was not allowed to use a tool.
    ToolDenied {
        /// The tool.
        name: String,
    },
    /// It changed a file.
    FileChange {
        /// Which, as it spells it: from outside, never to be opened unchecked.
        path: String,
    },
    /// What it consumed; bounded, so that sums don't overflow.
    Usage(Usage),
    /// It tries something again by itself.
    Retry {
        /// Why; empty where that is not said.
        reason: String,
        /// What went wrong, where that is known.
        fault: Option<Fault>,
    },
    /// The provider asks for patience.
    RateLimited(Patience),
    /// It asks something, and waits for the answer.
    NeedsInput(String),
    /// It met an error, which need not be its end.
    Error {
        /// What went wrong; `None` for a mere warning.
        fault: Option<Fault>,
        /// Its words.
        message: String,
    },
    /// It says that it is done. Something may follow all the same: the last one counts.
    End {
        /// Whether it believes that it succeeded.
        ok: bool,
        /// What went wrong, where it did and where that is known.
        fault: Option<Fault>,
        /// Its words; may be empty.
        message: String,
    },
    /// A report of a kind that is not known here, its beginning as it came; never fatal.
    Unknown(String),
}

/// For how long a provider asks for patience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Until this moment.
    Until(Timestamp),
    /// So many seconds from the event on; 0 where that is not said.
    Seconds(u64),
}

/// The longest patience: what is above is a broken count.
const MAX_PATIENCE: SignedDuration = SignedDuration::from_hours(24 * 8);

impl Patience {
    /// The moment when it is over, counted from the event's; `None` where that is not said or is
    /// nonsense.
    pub fn until(self, at: Timestamp) -> Option<Timestamp> {
        let latest = at.checked_add(MAX_PATIENCE).ok()?;
        match self {
            Self::Until(until) => Some(until.min(latest)),
            Self::Seconds(0) => None,
            Self::Seconds(seconds) => {
                let wait = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
                Some(at.checked_add(wait).unwrap_or(latest).min(latest))
            }
        }
    }
}
