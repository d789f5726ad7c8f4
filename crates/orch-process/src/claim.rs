//! The one-shot right to start a run. The supervisor takes it before it starts the child; recovery
//! takes it to make sure that a supervisor which is still on its way never will.

use std::io;

use jiff::Timestamp;
use orch_core::process::ProcessIdentity;
use serde::{Deserialize, Serialize};

use crate::fsio;
use crate::run_dir::RunDir;

/// What [`revoke`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revocation {
    /// The run has not started and never will.
    Revoked,
    /// A supervisor was first: the run has started, and may have ended since.
    AlreadyStarted,
}

/// Who holds the claim: the content of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub(crate) enum Claim {
    /// This supervisor starts the child.
    Supervisor { identity: ProcessIdentity },
    /// Nobody does.
    Revocation { at: Timestamp },
}

/// Takes the right to start away, for good. Says `AlreadyStarted` where a supervisor has it, and
/// also where the claim can't be read: then the run has to be looked at, not repeated. A directory
/// that does not exist yet is made, so that a launcher still on its way is stopped too.
pub fn revoke(dir: &RunDir) -> io::Result<Revocation> {
    dir.create()?;
    if take(dir, &Claim::Revocation { at: Timestamp::now() })? {
        return Ok(Revocation::Revoked);
    }
    match read(dir) {
        Ok(Some(Claim::Revocation { .. })) => Ok(Revocation::Revoked),
        _ => Ok(Revocation::AlreadyStarted),
    }
}

/// Tries to become the holder; false if somebody else is.
pub(crate) fn take(dir: &RunDir, claim: &Claim) -> io::Result<bool> {
    fsio::publish_exclusive(&dir.claim(), &serde_json::to_vec(claim)?)
}

/// The holder; `None` if nobody is.
pub(crate) fn read(dir: &RunDir) -> io::Result<Option<Claim>> {
    fsio::read_json(&dir.claim())
}

/// Whether the claim is taken, readable or not.
pub(crate) fn is_taken(dir: &RunDir) -> bool {
    dir.claim().symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revoking_makes_the_directory_and_is_idempotent() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path().join("runs/r-1"));
        assert_eq!(revoke(&dir).unwrap(), Revocation::Revoked);
        assert_eq!(revoke(&dir).unwrap(), Revocation::Revoked);
        let identity = crate::identity::current().unwrap();
        assert!(!take(&dir, &Claim::Supervisor { identity }).unwrap());
    }

    #[test]
    fn an_unreadable_claim_counts_as_started() {
        let base = tempfile::tempdir().unwrap();
        for content in ["", "{", "null", "{\"by\":\"somebody\"}"] {
            let dir = RunDir::new(base.path());
            std::fs::write(dir.claim(), content).unwrap();
            assert_eq!(revoke(&dir).unwrap(), Revocation::AlreadyStarted, "{content:?}");
        }
    }

    #[test]
    fn of_many_claimants_exactly_one_wins() {
        let base = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let dir = RunDir::new(base.path().join(format!("r{round}")));
            let identity = crate::identity::current().unwrap();
            let start = std::sync::Barrier::new(8);
            let wins: usize = std::thread::scope(|scope| {
                let racers: Vec<_> = (0..8)
                    .map(|racer| {
                        let (dir, identity, start) = (&dir, identity.clone(), &start);
                        scope.spawn(move || {
                            start.wait();
                            dir.create().unwrap();
                            let claim = if racer % 2 == 0 {
                                Claim::Supervisor { identity }
                            } else {
                                Claim::Revocation { at: Timestamp::now() }
                            };
                            usize::from(take(dir, &claim).unwrap())
                        })
                    })
                    .collect();
                racers.into_iter().map(|racer| racer.join().unwrap()).sum()
            });
            assert_eq!(wins, 1);
        }
    }
}
