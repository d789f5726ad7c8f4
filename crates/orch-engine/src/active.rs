//! The runs that this process drives at the moment, and the locks of their repositories.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orch_core::ids::{RepoName, RunId};
use orch_core::job::Fence;
use orch_core::outcome::Outcome;

use crate::reaper::Watched;

/// The runs being driven; a run is entered before it is claimed, so that the reaper never takes
/// one for lost which is just beginning.
#[derive(Debug, Default, Clone)]
pub struct Active {
    runs: Arc<Mutex<HashMap<RunId, Arc<Driven>>>>,
}

/// One driven run.
#[derive(Debug, Default)]
pub struct Driven {
    fence: Mutex<Option<Fence>>,
    lost: AtomicBool,
    /// What its end means, where the reaper ends it in its supervisor's place.
    overruled: Mutex<Option<Outcome>>,
    /// What the reaper has watched of it; `None` before its first look.
    watched: Mutex<Option<Watched>>,
}

impl Driven {
    /// True once the run has lost its job: whatever it does is to be discarded.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// The run is to be ended from outside, and this is what its end means; false where that was
    /// said before.
    pub fn overrule(&self, outcome: Outcome) -> bool {
        let mut overruled = lock(&self.overruled);
        let first = overruled.is_none();
        overruled.get_or_insert(outcome);
        first
    }

    /// Takes [`Driven::overrule`] back: the run could not be ended.
    pub fn let_be(&self) {
        *lock(&self.overruled) = None;
    }

    /// What the run's end means, where it was ended from outside.
    pub fn overruled(&self) -> Option<Outcome> {
        lock(&self.overruled).clone()
    }

    /// Reads and writes what was watched of the run.
    pub fn watched<T>(&self, look: impl FnOnce(&mut Option<Watched>) -> T) -> T {
        look(&mut lock(&self.watched))
    }

    /// Notes by which claim the run owns its job.
    pub fn owns(&self, fence: Fence) {
        *lock(&self.fence) = Some(fence);
    }
}

/// The run is driven for as long as this lives.
#[derive(Debug)]
pub struct Entry {
    active: Active,
    run: RunId,
    /// The run's shared state.
    pub driven: Arc<Driven>,
}

impl Active {
    /// Enters a run; `None` where it is driven already.
    pub fn enter(&self, run: &RunId) -> Option<Entry> {
        let mut runs = lock(&self.runs);
        if runs.contains_key(run) {
            return None;
        }
        let driven = Arc::new(Driven::default());
        runs.insert(run.clone(), Arc::clone(&driven));
        Some(Entry { active: self.clone(), run: run.clone(), driven })
    }

    /// Whether the run is driven here.
    pub fn contains(&self, run: &RunId) -> bool {
        lock(&self.runs).contains_key(run)
    }

    /// The shared state of a run that is driven here; `None` where it is not.
    pub fn driven(&self, run: &RunId) -> Option<Arc<Driven>> {
        lock(&self.runs).get(run).cloned()
    }

    /// The claims of all driven runs.
    pub fn fences(&self) -> Vec<Fence> {
        lock(&self.runs).values().filter_map(|driven| lock(&driven.fence).clone()).collect()
    }

    /// Tells runs that they have lost their jobs.
    pub fn lose(&self, lost: &[Fence]) {
        let runs = lock(&self.runs);
        for driven in lost.iter().filter_map(|fence| runs.get(&fence.run_id)) {
            driven.lost.store(true, Ordering::Release);
        }
    }

    /// How many runs are driven.
    pub fn len(&self) -> usize {
        lock(&self.runs).len()
    }

    /// Whether none is driven.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        lock(&self.active.runs).remove(&self.run);
    }
}

/// The runs beside others that this process looks after.
#[derive(Debug, Default)]
pub struct BesideRuns {
    runs: Mutex<std::collections::HashSet<RunId>>,
}

impl BesideRuns {
    /// Enters a run; false where there are as many as there may be.
    pub fn enter(&self, run: &RunId, most: usize) -> bool {
        let mut runs = lock(&self.runs);
        runs.len() < most && runs.insert(run.clone())
    }

    /// A run is over.
    pub fn leave(&self, run: &RunId) {
        lock(&self.runs).remove(run);
    }

    /// Whether the run is looked after here.
    pub fn contains(&self, run: &RunId) -> bool {
        lock(&self.runs).contains(run)
    }
}

/// One lock per repository: its mirror is changed by one thread at a time.
#[derive(Debug, Default)]
pub struct RepoLocks {
    locks: Mutex<HashMap<RepoName, Arc<Mutex<()>>>>,
}

impl RepoLocks {
    /// Does something while no other thread changes the repository's mirror.
    pub fn hold<T>(&self, repo: &RepoName, act: impl FnOnce() -> T) -> T {
        let of_repo = Arc::clone(lock(&self.locks).entry(repo.clone()).or_default());
        let _held = lock(&of_repo);
        act()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_driven_once_and_leaves_when_its_entry_goes() {
        let active = Active::default();
        let run = RunId::from_parts(1, 1);
        let entry = active.enter(&run).unwrap();
        assert!(active.enter(&run).is_none());
        assert!(!entry.driven.is_lost());
        drop(entry);
        assert!(active.is_empty());
    }
}
