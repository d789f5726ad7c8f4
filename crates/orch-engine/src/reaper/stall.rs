//! Tier 3 of the reaper: a driven run whose supervisor stands still is ended from outside. Its driver
//! learns what the end means and settles the run as if the supervisor had kept the limit.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use orch_core::job::Ownership;
use orch_core::reap::{Watch, overdue};
use orch_process::{Liveness, Observation, RunDir, RunSpec, identity};

use crate::active::Driven;
use crate::engine::Engine;

/// What was watched of one driven run so far. Moments are `Instant`s: they never jump, and stand
/// still while the machine is suspended.
#[derive(Debug)]
pub struct Watched {
    since: Instant,
    stopped_since: Option<Instant>,
    /// Its limits, from its specification; `None` until it has been launched.
    limits: Option<(std::time::Duration, Option<std::time::Duration>)>,
}

impl Watched {
    /// A watch that begins now.
    fn begin(now: Instant) -> Self {
        Self { since: now, stopped_since: None, limits: None }
    }

    fn note(&mut self, now: Instant, stopped: bool) {
        self.stopped_since = stopped.then(|| self.stopped_since.unwrap_or(now));
    }

    fn watch(&self, now: Instant) -> Option<Watch> {
        let (timeout, stall) = self.limits?;
        Some(Watch {
            alive_for: now.duration_since(self.since),
            stopped_for: self.stopped_since.map(|since| now.duration_since(since)),
            timeout,
            stall,
        })
    }
}

/// Looks at a run that is driven here; ends it where it is overdue.
pub(super) fn watch(engine: &Arc<Engine>, owner: &Ownership) {
    let Some(driven) = engine.active.driven(&owner.run_id) else { return };
    let dir = RunDir::new(engine.home.run(&owner.run_id));
    let Observation::Running(supervisor) = orch_process::observe(&dir) else { return };
    let stopped = identity::liveness(&supervisor) == Liveness::Stopped;
    let Some(outcome) = look(&driven, &dir, stopped) else { return };
    if !driven.overrule(outcome.clone()) {
        return;
    }
    tracing::warn!(run.id = %owner.run_id, ?outcome, "a run whose supervisor stands still is ended");
    let (at_hand, run) = (Arc::clone(engine), owner.run_id.clone());
    // On a thread of its own: the end of a tree takes a while, and the others are to be looked at.
    let ending = thread::Builder::new().name("end run".to_owned());
    if let Err(error) = ending.spawn(move || at_hand.end_run(&run)) {
        tracing::error!(run.id = %owner.run_id, %error, "no thread to end a run; the next tick tries again");
        driven.let_be();
    }
}

fn look(driven: &Driven, dir: &RunDir, stopped: bool) -> Option<orch_core::outcome::Outcome> {
    let now = Instant::now();
    driven.watched(|watched| {
        let watched = watched.get_or_insert_with(|| Watched::begin(now));
        if watched.limits.is_none() {
            watched.limits = RunSpec::read(dir).map(|spec| (spec.timeout, spec.stall));
        }
        watched.note(now, stopped);
        watched.watch(now).as_ref().and_then(overdue)
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_stop_counts_only_without_a_break() {
        let start = Instant::now();
        let s = |n| start + Duration::from_secs(n);
        let mut watched = Watched::begin(start);
        assert_eq!(watched.watch(s(9)), None, "nothing is known of its limits");
        watched.limits = Some((Duration::from_mins(1), None));
        let mut stopped_for = |at, stopped| {
            watched.note(s(at), stopped);
            watched.watch(s(at)).unwrap().stopped_for
        };
        assert_eq!(stopped_for(1, false), None);
        assert_eq!(stopped_for(2, true), Some(Duration::ZERO));
        assert_eq!(stopped_for(5, true), Some(Duration::from_secs(3)));
        assert_eq!(stopped_for(6, false), None);
        assert_eq!(stopped_for(7, true), Some(Duration::ZERO));
    }
}
