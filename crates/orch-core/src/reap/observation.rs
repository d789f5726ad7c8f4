//! Where a run stands, told from what it left on the disk and from its supervisor's liveness.

use super::Liveness;
use crate::process::{ProcessIdentity, RunExit};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Nobody holds the claim: the child has not been started. A supervisor may be on its way;
    /// taking the claim away settles it.
    NotStarted,
    /// A supervisor holds the claim and lives, and has not started the child yet.
    Starting,
    /// The supervisor lives and the child was started. Names the *supervisor*.
    Running(ProcessIdentity),
    /// The run has ended and its processes with it.
    Exited(RunExit),
    /// The run has started and nobody looks after it: its supervisor is gone without a word.
    /// Processes may be left; they are to be swept.
    Lost {
        /// What was found, for people.
        reason: String,
    },
    /// The right to start was taken away before the run started.
    Revoked,
}

/// Who holds the right to start a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// Nobody yet.
    Nobody,
    /// Nobody ever: it was taken away.
    Revoked,
    /// This supervisor.
    Supervisor {
        /// Its name.
        identity: ProcessIdentity,
        /// Whether it lives.
        liveness: Liveness,
    },
    /// Somebody, and it can't be read who.
    Unreadable {
        /// The reader's words.
        reason: String,
    },
}

/// What a run left in its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traces {
    /// Who holds the right to start it.
    pub holder: Holder,
    /// Whether the child was started.
    pub child_started: bool,
    /// Its exit; `None` where there is none, an error where there is one that can't be read. To be
    /// read *after* the supervisor's liveness: it may have written its exit and gone in between.
    pub exit: Result<Option<RunExit>, String>,
}

/// Says where a run stands. An exit on the disk is the last word, whoever lives or does not.
pub fn observed(traces: Traces) -> Observation {
    match traces.exit {
        Ok(Some(exit)) => return Observation::Exited(exit),
        Err(reason) => {
            return Observation::Lost { reason: format!("exit.json can't be read: {reason}") };
        }
        Ok(None) => {}
    }
    match traces.holder {
        Holder::Nobody => Observation::NotStarted,
        Holder::Revoked => Observation::Revoked,
        Holder::Unreadable { reason } => {
            Observation::Lost { reason: format!("the claim can't be read: {reason}") }
        }
        Holder::Supervisor { identity, liveness } if liveness.may_act() => {
            if traces.child_started {
                Observation::Running(identity)
            } else {
                Observation::Starting
            }
        }
        Holder::Supervisor { identity, .. } => Observation::Lost {
            reason: format!("its supervisor, pid {}, is gone and left no exit.json", identity.pid),
        },
    }
}
