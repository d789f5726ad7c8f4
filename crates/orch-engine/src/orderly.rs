//! What an orderly stop leaves for the next start: that nobody crashed. The runs of a service that
//! was stopped in order live on under their supervisors; where the machine or the container ends
//! after it, they end with it, and that is not counted against their jobs.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use orch_core::ids::{RunId, WorkerId};
use orch_core::job::{JobState, Ownership};
use orch_process::{Observation, RunDir, identity};
use orch_store::Store;

use crate::home::Home;

/// The runs that an orderly stop left behind.
#[derive(Debug, Default)]
pub struct Orderly {
    runs: Mutex<HashSet<RunId>>,
}

fn note(home: &Home) -> PathBuf {
    home.path().join("stopped-in-order")
}

impl Orderly {
    /// Notes that the service stops in order.
    pub fn leave(home: &Home) {
        if let Err(error) = std::fs::write(note(home), "") {
            tracing::warn!(%error, "the orderly stop could not be noted; a run that ends with the machine counts as crashed");
        }
    }

    /// Reads what the last service left, at the start and before anything is claimed. The note is
    /// taken away first, so that a crash from now on is one.
    pub fn arrive(&self, home: &Home, store: &Store, worker: &WorkerId) {
        if std::fs::remove_file(note(home)).is_err() {
            return;
        }
        let running = store.running(Some(worker)).unwrap_or_default();
        let owner = |job: orch_core::job::Job| match job.state {
            JobState::Running(owner) => Some(owner.run_id),
            _ => None,
        };
        let left = running.into_iter().filter_map(|(job, _)| owner(job)).collect();
        *self.runs.lock().unwrap_or_else(PoisonError::into_inner) = left;
    }

    /// Whether the end of this run is nobody's crash: an orderly stop left it behind, and it had not
    /// begun, or it ended with its boot or its pid namespace.
    pub fn spares(&self, owner: &Ownership, seen: Option<&Observation>, dir: &RunDir) -> bool {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        if !runs.contains(&owner.run_id) {
            return false;
        }
        match seen {
            Some(Observation::Lost { .. }) => {
                let recorded = owner.process.clone().or_else(|| orch_process::supervisor(dir));
                recorded.is_some_and(|recorded| identity::was_elsewhere(&recorded))
            }
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use orch_core::process::ProcessIdentity;
    use orch_store::StoreOptions;

    use super::*;

    fn owner(process: ProcessIdentity) -> Ownership {
        Ownership {
            run_id: RunId::from_parts(1, 1),
            run_epoch: 1,
            worker_id: WorkerId::new("w1").unwrap(),
            started_at: Timestamp::UNIX_EPOCH,
            lease_until: Timestamp::UNIX_EPOCH,
            process: Some(process),
        }
    }

    #[test]
    fn only_the_runs_of_an_orderly_stop_are_spared_and_only_the_end_of_their_machine() {
        let root = tempfile::tempdir().unwrap();
        let home = Home::open(root.path()).unwrap();
        let dir = RunDir::new(root.path().join("nothing"));
        let here = identity::current().unwrap();
        let gone = ProcessIdentity { boot_id: "boot-0:1".to_owned(), ..here.clone() };
        let lost = Observation::Lost { reason: "gone".to_owned() };
        let orderly = Orderly::default();
        let elsewhere = owner(gone.clone());
        assert!(!orderly.spares(&elsewhere, Some(&lost), &dir), "nobody stopped in order");
        orderly.runs.lock().unwrap().insert(elsewhere.run_id.clone());
        assert!(orderly.spares(&elsewhere, Some(&lost), &dir));
        assert!(
            !orderly.spares(&owner(here.clone()), Some(&lost), &dir),
            "its supervisor was killed here"
        );
        assert!(orderly.spares(&owner(here.clone()), Some(&Observation::Revoked), &dir));
        assert!(orderly.spares(&owner(here.clone()), None, &dir), "the merge gate was at work");
        let later = Ownership { run_id: RunId::from_parts(2, 2), ..owner(gone) };
        assert!(!orderly.spares(&later, Some(&lost), &dir), "claimed after the stop");

        let store = Store::open_in_memory(StoreOptions::default()).unwrap();
        let worker = WorkerId::new("w1").unwrap();
        orderly.arrive(&home, &store, &worker);
        assert!(orderly.spares(&elsewhere, Some(&lost), &dir), "no note, nothing read");
        Orderly::leave(&home);
        orderly.arrive(&home, &store, &worker);
        assert!(!orderly.spares(&elsewhere, Some(&lost), &dir), "nothing ran at that stop");
        assert!(!note(&home).exists(), "one note counts for one start");
    }
}
