//! What can be wrong on the way to another machine and there, and what each means.

use serde::{Deserialize, Serialize};

use super::SshTarget;
use crate::outcome::Outcome;
use crate::verdict::tail;

/// What is wrong on the way to another machine, or there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nothing listens there.
    Refused,
    /// No way leads there.
    Unreachable,
    /// Nobody answered in time.
    ConnectTimeout,
    /// The name has no address.
    NameUnknown,
    /// The host's key is not among those that are trusted.
    HostKeyUnknown,
    /// The host shows another key than before.
    HostKeyChanged,
    /// The user or its key is not accepted.
    NotLetIn,
    /// The connection broke.
    Dropped,
    /// This machine has no ssh.
    NoSsh,
    /// The ssh configuration here is wrong.
    BadConfig,
    /// The far side lets us in and starts no shell of ours.
    NoShell,
    /// A program that holds a run together is missing on the far side.
    MissingProgram,
    /// The far side has nowhere to keep a run.
    NoRoom,
    /// The run could not be set up on the far side.
    NotSetUp,
    /// Processes of a run that is over could not be ended on the far side.
    Stuck,
    /// The disk of the far side is full.
    DiskFull,
    /// The far side killed what held the run together, or was restarted.
    Killed,
    /// Somebody on the far side asked for the end.
    Stopped,
    /// The far side ended without a result frame.
    NoFrame,
    /// The result frame is not of this run.
    ForeignFrame,
    /// ssh failed in words that are not known.
    Other,
}

/// A fault with what was said of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// The last words of ssh or of the far side; empty where nothing was said.
    pub said: String,
}

/// What is quoted of the last words.
const QUOTED: usize = 300;

impl FaultKind {
    /// True where waiting does not mend it: somebody has to.
    pub fn is_permanent(self) -> bool {
        match self {
            Self::HostKeyUnknown
            | Self::HostKeyChanged
            | Self::NotLetIn
            | Self::NoSsh
            | Self::BadConfig
            | Self::NoShell
            | Self::MissingProgram
            | Self::NoRoom => true,
            Self::Refused
            | Self::Unreachable
            | Self::ConnectTimeout
            | Self::NameUnknown
            | Self::Dropped
            | Self::NotSetUp
            | Self::Stuck
            | Self::DiskFull
            | Self::Killed
            | Self::Stopped
            | Self::NoFrame
            | Self::ForeignFrame
            | Self::Other => false,
        }
    }

    /// True where another connection may find the run as it was.
    pub fn is_of_the_link(self) -> bool {
        matches!(
            self,
            Self::Refused
                | Self::Unreachable
                | Self::ConnectTimeout
                | Self::NameUnknown
                | Self::Dropped
                | Self::NoFrame
                | Self::Other
        )
    }

    /// True where any other work over the same channel meets it as well.
    pub fn is_of_the_channel(self) -> bool {
        let of_one_run = matches!(
            self,
            Self::Killed | Self::Stopped | Self::Stuck | Self::NoFrame | Self::ForeignFrame
        );
        !of_one_run
    }

    fn what(self) -> &'static str {
        match self {
            Self::Refused => "the connection was refused",
            Self::Unreachable => "there is no way to the host",
            Self::ConnectTimeout => "the host did not answer in time",
            Self::NameUnknown => "the host's name could not be resolved",
            Self::HostKeyUnknown => "the host's key is not known",
            Self::HostKeyChanged => "the host's key has changed",
            Self::NotLetIn => "ssh was not let in",
            Self::Dropped => "the connection was dropped",
            Self::NoSsh => "there is no ssh program on this machine",
            Self::BadConfig => "the ssh configuration on this machine is wrong",
            Self::NoShell => "the far side starts no shell",
            Self::MissingProgram => "a program is missing on the far side",
            Self::NoRoom => "the far side has no folder to keep a run in",
            Self::NotSetUp => "the run could not be set up on the far side",
            Self::Stuck => "processes of an earlier run could not be ended on the far side",
            Self::DiskFull => "the disk of the far side is full",
            Self::Killed => "what held the run together on the far side was killed",
            Self::Stopped => "the run was stopped on the far side",
            Self::NoFrame => "the far side ended without a result frame",
            Self::ForeignFrame => "the result frame is not of this run",
            Self::Other => "ssh failed",
        }
    }

    /// What to do about it; `None` where there is nothing but to wait.
    pub fn remedy(self, target: &SshTarget) -> Option<String> {
        let host = target.host();
        let port = target.port().map(|port| format!("-p {port} ")).unwrap_or_default();
        let remedy = match self {
            Self::Refused => format!("see whether sshd runs on {host} and listens on that port"),
            Self::Unreachable | Self::ConnectTimeout => {
                format!("see whether {host} is up and a firewall lets this machine through")
            }
            Self::NameUnknown => format!("see whether {host} is the right name, and DNS answers"),
            Self::HostKeyUnknown => format!(
                "run `ssh-keyscan {port}{host} >> ~/.ssh/known_hosts` as the service's user, once \
                 the key is seen to be the host's own"
            ),
            Self::HostKeyChanged => format!(
                "find out why; if the host was set up anew, run `ssh-keygen -R {}` and \
                 `ssh-keyscan {port}{host} >> ~/.ssh/known_hosts` as the service's user",
                known_as(target)
            ),
            Self::NotLetIn => format!(
                "make `ssh -o BatchMode=yes {target} true` work for the service's user: its public \
                 key belongs into authorized_keys on {host}, its agent must not ask for a passphrase"
            ),
            Self::NoSsh => "install an OpenSSH client".to_owned(),
            Self::BadConfig => {
                "correct the file that [ssh] config names, or ~/.ssh/config".to_owned()
            }
            Self::NoShell => format!(
                "let the user log in with a shell on {host}: no nologin, no forced command, nothing \
                 that ends a non-interactive shell"
            ),
            Self::MissingProgram => format!("install it on {host}"),
            Self::NoRoom => {
                format!("give the user on {host} a home, or a TMPDIR, that it can write")
            }
            Self::NotSetUp => format!("see what the user on {host} may do in its home"),
            Self::Stuck => format!("end them on {host}; they may belong to another user"),
            Self::DiskFull => format!("free some space on {host}"),
            Self::Killed | Self::Stopped => {
                format!("see on {host} who ended it: memory, a restart, a person")
            }
            Self::ForeignFrame => format!("see on {host} who writes into the run's folder"),
            Self::Dropped | Self::NoFrame | Self::Other => return None,
        };
        Some(remedy)
    }
}

/// How `known_hosts` names the host.
fn known_as(target: &SshTarget) -> String {
    match target.port() {
        Some(port) if port != 22 => format!("'[{}]:{port}'", target.host()),
        _ => target.host().to_owned(),
    }
}

impl Fault {
    /// A fault and the words that tell of it.
    pub fn new(kind: FaultKind, said: impl Into<String>) -> Self {
        Self { kind, said: said.into() }
    }

    /// What is wrong, for people, in one line.
    pub fn describe(&self, target: &SshTarget) -> String {
        let said = self.said.trim();
        let last = said.lines().rev().map(str::trim).find(|line| !line.is_empty());
        match last {
            Some(last) => format!("{target}: {}: {}", self.kind.what(), tail(last, QUOTED)),
            None => format!("{target}: {}", self.kind.what()),
        }
    }

    /// What the run's end means.
    pub fn outcome(&self, target: &SshTarget) -> Outcome {
        let what = self.describe(target);
        let reason = match self.kind.remedy(target) {
            Some(remedy) => format!("{what}; {remedy}"),
            None => what,
        };
        if self.kind.is_permanent() {
            Outcome::PermanentEnv { reason }
        } else if self.kind == FaultKind::Other {
            Outcome::Unknown { reason }
        } else {
            Outcome::TransientInfra { reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_says_what_where_and_the_remedy() {
        let target = SshTarget::new("ssh://deploy@staging.example:2222").unwrap();
        let fault =
            Fault::new(FaultKind::HostKeyUnknown, "noise\nHost key verification failed.\n\n");
        let Outcome::PermanentEnv { reason } = fault.outcome(&target) else { panic!() };
        assert_eq!(
            reason,
            "ssh://deploy@staging.example:2222: the host's key is not known: Host key verification \
             failed.; run `ssh-keyscan -p 2222 staging.example >> ~/.ssh/known_hosts` as the \
             service's user, once the key is seen to be the host's own"
        );
        let changed = FaultKind::HostKeyChanged.remedy(&target).unwrap();
        assert!(changed.contains("ssh-keygen -R '[staging.example]:2222'"), "{changed}");
    }
}
