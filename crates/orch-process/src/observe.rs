//! Says where a run stands, from its directory and the process table alone.

use std::io;

use orch_core::process::{ProcessIdentity, RunExit};

use crate::claim::{self, Claim};
use crate::fsio;
use crate::identity::{Liveness, liveness};
use crate::run_dir::RunDir;

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// Nobody holds the claim: the child has not been started. A supervisor may be on its way;
    /// [`crate::revoke`] settles it.
    NotStarted,
    /// A supervisor holds the claim and lives, and has not started the child yet.
    Starting,
    /// The supervisor lives and the child was started. Names the *supervisor*, as [`crate::launch`]
    /// did; [`child`] names the child.
    Running(ProcessIdentity),
    /// The run has ended and its processes with it.
    Exited(RunExit),
    /// The run has started and nobody looks after it: its supervisor is gone without a word.
    /// Processes may be left; [`crate::sweep`] them.
    Lost {
        /// What was found, for people.
        reason: String,
    },
    /// The right to start was taken away before the run started.
    Revoked,
}

/// Looks at a run. Never panics and never blocks, whatever stands in the directory.
pub fn observe(dir: &RunDir) -> Observation {
    if let Some(ended) = ended(dir) {
        return ended;
    }
    let identity = match claim::read(dir) {
        Ok(None) => return Observation::NotStarted,
        Ok(Some(Claim::Revocation { .. })) => return Observation::Revoked,
        Ok(Some(Claim::Supervisor { identity })) => identity,
        Err(error) => match recorded_supervisor(dir) {
            Some(identity) => identity,
            None => return lost(format!("the claim can't be read: {error}")),
        },
    };
    match liveness(&identity) {
        Liveness::Alive if dir.child().symlink_metadata().is_ok() => Observation::Running(identity),
        Liveness::Alive => Observation::Starting,
        // It may have written its exit and gone between our two looks.
        Liveness::Zombie | Liveness::Gone => ended(dir).unwrap_or_else(|| {
            lost(format!("its supervisor, pid {}, is gone and left no exit.json", identity.pid))
        }),
    }
}

/// The identity of the run's child, also after its end; `None` if it was not started or the record
/// is unreadable.
pub fn child(dir: &RunDir) -> Option<ProcessIdentity> {
    fsio::read_json(&dir.child()).ok().flatten()
}

/// The supervisor that looks after the run or did; `None` if there was none.
pub(crate) fn supervisor(dir: &RunDir) -> Option<ProcessIdentity> {
    match claim::read(dir) {
        Ok(Some(Claim::Supervisor { identity })) => Some(identity),
        Ok(_) => None,
        Err(_) => recorded_supervisor(dir),
    }
}

fn recorded_supervisor(dir: &RunDir) -> Option<ProcessIdentity> {
    fsio::read_json(&dir.supervisor()).ok().flatten()
}

/// What `exit.json` says; `None` if it is absent.
fn ended(dir: &RunDir) -> Option<Observation> {
    let exit: io::Result<Option<RunExit>> = fsio::read_json(&dir.exit());
    match exit {
        Ok(None) => None,
        Ok(Some(exit)) => Some(Observation::Exited(exit)),
        Err(error) => Some(lost(format!("exit.json can't be read: {error}"))),
    }
}

fn lost(reason: String) -> Observation {
    Observation::Lost { reason }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;
    use orch_core::process::ExitCause;

    use super::*;
    use crate::identity::current;

    fn claim_by(identity: ProcessIdentity) -> Vec<u8> {
        serde_json::to_vec(&Claim::Supervisor { identity }).unwrap()
    }

    fn gone() -> ProcessIdentity {
        let me = current().unwrap();
        ProcessIdentity { start_time: me.start_time + 1, ..me }
    }

    #[test]
    fn every_stage_of_a_run_is_told_from_its_files() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path().join("run"));
        assert_eq!(observe(&dir), Observation::NotStarted);
        dir.create().unwrap();
        assert_eq!(observe(&dir), Observation::NotStarted);
        fs::write(dir.claim(), claim_by(current().unwrap())).unwrap();
        assert_eq!(observe(&dir), Observation::Starting);
        fs::write(dir.child(), "{}").unwrap();
        assert_eq!(observe(&dir), Observation::Running(current().unwrap()));
        fs::write(dir.claim(), claim_by(gone())).unwrap();
        assert!(matches!(observe(&dir), Observation::Lost { .. }));
        let exit = RunExit {
            cause: ExitCause::Exited { code: 3 },
            started_at: Timestamp::UNIX_EPOCH,
            finished_at: Timestamp::UNIX_EPOCH,
            stdout_tail: "a\u{0}b".into(),
            stderr_tail: String::new(),
            lines: 1,
            survivors_killed: 0,
        };
        fs::write(dir.exit(), serde_json::to_vec(&exit).unwrap()).unwrap();
        assert_eq!(observe(&dir), Observation::Exited(exit));
    }

    #[test]
    fn corrupt_files_are_lost_runs_with_a_reason() {
        let hostile: [&[u8]; 7] = [
            b"",
            b"null",
            b"[]",
            b"{\"cause\":",
            b"\xff\xfe\x00",
            b"{\"cause\":{\"kind\":\"exited\",\"code\":99999999999}}",
            &[b'['; 4096],
        ];
        for content in hostile {
            let base = tempfile::tempdir().unwrap();
            let dir = RunDir::new(base.path());
            fs::write(dir.supervisor(), content).unwrap();
            fs::write(dir.spec(), content).unwrap();
            fs::write(dir.child(), content).unwrap();
            assert_eq!(observe(&dir), Observation::NotStarted);
            assert_eq!(child(&dir), None);
            fs::write(dir.claim(), content).unwrap();
            assert!(
                matches!(observe(&dir), Observation::Lost { reason } if reason.contains("claim"))
            );
            fs::write(dir.claim(), claim_by(current().unwrap())).unwrap();
            fs::write(dir.exit(), content).unwrap();
            assert!(
                matches!(observe(&dir), Observation::Lost { reason } if reason.contains("exit.json"))
            );
        }
    }

    #[test]
    fn an_unreadable_claim_falls_back_on_the_recorded_supervisor() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path());
        fs::write(dir.claim(), "torn").unwrap();
        fs::write(dir.supervisor(), serde_json::to_vec(&current().unwrap()).unwrap()).unwrap();
        assert_eq!(observe(&dir), Observation::Starting);
    }
}
