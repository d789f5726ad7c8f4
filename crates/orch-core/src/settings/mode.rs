//! `mode` of a runner's section: who decides a stage that a subprocess and a model can both work.

use super::key::Key;
use super::kind::Kind;
use super::reader::Reader;

/// Who works a stage that both a runner and an agent can work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The runner.
    Deterministic,
    /// The runner; where it says fail, the agent explains the failure.
    Hybrid,
    /// Both, side by side on the same revision; one decides and the other is compared with it.
    Shadow {
        /// Whether the runner is the one that decides.
        runner_decides: bool,
    },
    /// The agent.
    Llm,
}

impl Mode {
    /// Whether the runner's verdict is the one that counts.
    pub fn runner_decides(self) -> bool {
        match self {
            Self::Deterministic | Self::Hybrid => true,
            Self::Shadow { runner_decides } => runner_decides,
            Self::Llm => false,
        }
    }

    /// Whether the agent is asked beside the runner.
    pub fn asks_beside(self) -> bool {
        matches!(self, Self::Hybrid | Self::Shadow { runner_decides: true })
    }
}

/// The forms of `mode`.
pub(super) const MODES: Kind = Kind::Choice(&["deterministic", "hybrid", "shadow", "llm"]);
/// The forms of `shadow_decides`.
pub(super) const DECIDERS: Kind = Kind::Choice(&["deterministic", "llm"]);

pub(super) fn read(reader: &mut Reader<'_>, mode: &Key, decides: &Key) -> Mode {
    let runner_decides = reader.text(decides).as_deref() != Some("llm");
    match reader.text(mode).as_deref() {
        Some("hybrid") => Mode::Hybrid,
        Some("shadow") => Mode::Shadow { runner_decides },
        Some("llm") => Mode::Llm,
        _ => Mode::Deterministic,
    }
}
