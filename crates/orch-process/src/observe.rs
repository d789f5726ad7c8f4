//! Says where a run stands, from its directory and the process table alone. What is read here is
//! made sense of in `orch_core::reap`.

use orch_core::process::{ProcessIdentity, RunExit};
pub use orch_core::reap::Observation;
use orch_core::reap::{Holder, Traces, observed};

use crate::claim::{self, Claim};
use crate::fsio;
use crate::identity::liveness;
use crate::run_dir::RunDir;

/// Looks at a run. Never panics and never blocks, whatever stands in the directory.
pub fn observe(dir: &RunDir) -> Observation {
    // An ended run is the common case and costs one look.
    let exit = exit(dir);
    if !matches!(exit, Ok(None)) {
        return observed(Traces { holder: Holder::Nobody, child_started: false, exit });
    }
    let identity = match claim::read(dir) {
        Ok(None) => return Observation::NotStarted,
        Ok(Some(Claim::Revocation { .. })) => return Observation::Revoked,
        Ok(Some(Claim::Supervisor { identity })) => identity,
        Err(error) => {
            let Some(identity) = recorded_supervisor(dir) else {
                let holder = Holder::Unreadable { reason: error.to_string() };
                return observed(Traces { holder, child_started: false, exit });
            };
            identity
        }
    };
    let liveness = liveness(&identity);
    let child_started = dir.child().symlink_metadata().is_ok();
    // Read again: it may have written its exit and gone between our two looks.
    let exit = if liveness.may_act() { exit } else { self::exit(dir) };
    observed(Traces { holder: Holder::Supervisor { identity, liveness }, child_started, exit })
}

/// The identity of the run's child, also after its end; `None` if it was not started or the record
/// is unreadable.
pub fn child(dir: &RunDir) -> Option<ProcessIdentity> {
    fsio::read_json(&dir.child()).ok().flatten()
}

/// The supervisor that looks after the run or did; `None` if there was none.
pub fn supervisor(dir: &RunDir) -> Option<ProcessIdentity> {
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
fn exit(dir: &RunDir) -> Result<Option<RunExit>, String> {
    fsio::read_json(&dir.exit()).map_err(|error| error.to_string())
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
