//! The one decision function of the launcher.

use std::time::Duration;

use super::{
    Action, Ended, Event, LONGEST_BACKOFF, Leg, Limits, PASSES, Probe, SETTLED, STARTS, Trial,
};
use crate::ids::VersionName;

/// What the launcher knows and decides. Times are those of a clock that only goes forward, from
/// whatever beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    limits: Limits,
    current: VersionName,
    trial: Option<Trial>,
    phase: Phase,
    /// Crashes in a row outside of trials.
    crashes: u32,
    /// The launcher is told to end.
    ending: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    /// No service runs; one is started at that time.
    Down { at: Duration },
    /// The service runs.
    Up { since: Duration, passes: u32, last: String },
    /// The service was asked to end.
    Stopping { kill_at: Duration },
    /// The service was killed; its end is not seen yet.
    Killed,
    /// The launcher ends.
    Over,
}

impl Machine {
    /// A launcher that begins: what `current` names, and the trial that an earlier one left. The
    /// actions come first of all.
    pub fn begin(
        limits: Limits,
        current: VersionName,
        trial: Option<Trial>,
        now: Duration,
    ) -> (Self, Vec<Action>) {
        let phase = Phase::Down { at: now };
        let mut machine = Self { limits, current, trial, phase, crashes: 0, ending: false };
        let actions = match machine.trial.clone() {
            None => vec![],
            Some(Trial { leg: Leg::Forth, to, .. }) => machine.point(to),
            Some(Trial { leg: Leg::Back { .. }, .. }) => machine.back_down(),
        };
        (machine, actions)
    }

    /// The version that runs, or is to run.
    pub fn current(&self) -> &VersionName {
        &self.current
    }

    /// The version on trial and the way it goes; `None` outside of trials.
    pub fn trial(&self) -> Option<&Trial> {
        self.trial.as_ref()
    }

    /// Whether the service runs, as far as is known.
    pub fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up { .. })
    }

    /// Whether a switch can be asked for now.
    pub fn accepts(&self) -> bool {
        let calm = matches!(self.phase, Phase::Down { .. } | Phase::Up { .. });
        calm && self.trial.is_none() && !self.ending
    }

    /// Decides on one event.
    #[must_use]
    pub fn handle(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match event {
            Event::Tick => self.tick(now),
            Event::Requested { id, to } => self.requested(now, id, to),
            Event::Adopted => {
                self.phase = Phase::Up { since: now, passes: 0, last: String::new() };
                vec![]
            }
            Event::Exited(how) => self.exited(now, how),
            Event::Probed(probe) => self.probed(now, probe),
            Event::DatabaseStays(why) => self.database_stays(now, &why),
            Event::Stop => self.stop(now),
        }
    }

    fn tick(&mut self, now: Duration) -> Vec<Action> {
        match &self.phase {
            Phase::Down { at } if *at <= now => self.start(now),
            Phase::Stopping { kill_at } if *kill_at <= now => {
                self.phase = Phase::Killed;
                vec![Action::Kill]
            }
            Phase::Up { since, last, .. } => {
                let ran = now.saturating_sub(*since);
                if self.trial.is_some() && ran >= self.limits.healthy_within {
                    let limit = self.limits.healthy_within.as_secs();
                    let last = if last.is_empty() { "it was never asked" } else { last };
                    let reason = format!("it was not healthy within {limit} s: {last}");
                    return self.failed_up(now, reason);
                }
                if ran >= SETTLED {
                    self.crashes = 0;
                }
                vec![]
            }
            _ => vec![],
        }
    }

    fn start(&mut self, now: Duration) -> Vec<Action> {
        let up = Phase::Up { since: now, passes: 0, last: String::new() };
        let Some(trial) = &mut self.trial else {
            self.phase = up;
            return vec![Action::Start];
        };
        if trial.leg == Leg::Forth && trial.starts >= STARTS {
            let reason = format!("it was started {STARTS} times and never became healthy");
            return self.turn_back(reason);
        }
        trial.starts += 1;
        self.phase = up;
        vec![Action::Record(self.trial.clone()), Action::Start]
    }

    fn requested(&mut self, now: Duration, id: String, to: VersionName) -> Vec<Action> {
        if !self.accepts() {
            return vec![];
        }
        let from = self.current.clone();
        let same = to == from;
        let trial = Trial { id, to: to.clone(), from, starts: 0, leg: Leg::Forth };
        if same {
            return vec![Action::Close { trial, ended: Ended::Switched }];
        }
        self.trial = Some(trial.clone());
        self.crashes = 0;
        let mut actions = vec![Action::Record(Some(trial))];
        actions.extend(self.point(to));
        if self.is_up() {
            actions.extend(self.terminate(now));
        } else {
            self.phase = Phase::Down { at: now };
        }
        actions
    }

    fn exited(&mut self, now: Duration, how: String) -> Vec<Action> {
        let was_up = matches!(self.phase, Phase::Up { .. });
        if self.ending {
            self.phase = Phase::Over;
            return vec![Action::Quit];
        }
        self.phase = Phase::Down { at: now };
        match self.trial.as_ref().map(|trial| &trial.leg) {
            None => {
                self.phase = Phase::Down { at: now + self.backoff() };
                self.crashes = self.crashes.saturating_add(1);
                vec![]
            }
            Some(Leg::Forth) if was_up => self.turn_back(how),
            // The version before has ended, as it was told; the new one is next.
            Some(Leg::Forth) => vec![],
            Some(Leg::Back { .. }) if was_up => {
                self.phase = Phase::Down { at: now + self.backoff() };
                self.close_returned(Some(how))
            }
            Some(Leg::Back { .. }) => self.back_down(),
        }
    }

    fn probed(&mut self, now: Duration, probe: Probe) -> Vec<Action> {
        let Phase::Up { passes, last, .. } = &mut self.phase else { return vec![] };
        match probe {
            Probe::Healthy => {
                *passes += 1;
                if *passes >= PASSES { self.passed() } else { vec![] }
            }
            Probe::NotYet(reason) => {
                *passes = 0;
                *last = reason;
                vec![]
            }
            Probe::Wrong(reason) if self.trial.is_some() => self.failed_up(now, reason),
            Probe::Wrong(_) => vec![],
        }
    }

    /// The version on trial is healthy.
    fn passed(&mut self) -> Vec<Action> {
        match self.trial.as_ref().map(|trial| &trial.leg) {
            None => vec![],
            Some(Leg::Forth) => self.close(Ended::Switched),
            Some(Leg::Back { .. }) => self.close_returned(None),
        }
    }

    /// The version on trial runs and will not do.
    fn failed_up(&mut self, now: Duration, why: String) -> Vec<Action> {
        match &mut self.trial {
            Some(trial) if trial.leg == Leg::Forth => {
                trial.leg = Leg::Back { reason: why };
                trial.starts = 0;
                let mut actions = vec![Action::Record(self.trial.clone())];
                actions.extend(self.terminate(now));
                actions
            }
            // The version before is left running: better than nothing, and somebody is told.
            Some(_) => self.close_returned(Some(why)),
            None => vec![],
        }
    }

    /// The version on trial failed and nothing runs: the way back begins.
    fn turn_back(&mut self, why: String) -> Vec<Action> {
        if let Some(trial) = &mut self.trial {
            trial.leg = Leg::Back { reason: why };
            trial.starts = 0;
        }
        let mut actions = vec![Action::Record(self.trial.clone())];
        actions.extend(self.back_down());
        actions
    }

    /// Nothing runs: the version before gets its place and its database.
    fn back_down(&mut self) -> Vec<Action> {
        let Some(from) = self.trial.as_ref().map(|trial| trial.from.clone()) else { return vec![] };
        let mut actions = self.point(from);
        actions.push(Action::ReturnDatabase);
        actions
    }

    fn database_stays(&mut self, now: Duration, why: &str) -> Vec<Action> {
        let Some(Trial { leg: Leg::Back { reason }, to, .. }) = self.trial.clone() else {
            return vec![];
        };
        self.phase = Phase::Down { at: now + self.backoff() };
        self.crashes = self.crashes.saturating_add(1);
        let mut actions = self.point(to);
        let reason = format!("{reason}; there is no way back: {why}");
        actions.extend(self.close(Ended::Kept { reason }));
        actions
    }

    fn stop(&mut self, now: Duration) -> Vec<Action> {
        self.ending = true;
        match self.phase {
            Phase::Up { .. } => self.terminate(now),
            Phase::Down { .. } => {
                self.phase = Phase::Over;
                vec![Action::Quit]
            }
            Phase::Stopping { .. } | Phase::Killed | Phase::Over => vec![],
        }
    }

    fn terminate(&mut self, now: Duration) -> Vec<Action> {
        self.phase = Phase::Stopping { kill_at: now + self.limits.stop_within };
        vec![Action::Terminate]
    }

    fn point(&mut self, version: VersionName) -> Vec<Action> {
        self.current = version.clone();
        vec![Action::Point(version)]
    }

    fn close_returned(&mut self, trouble: Option<String>) -> Vec<Action> {
        let reason = match self.trial.as_ref().map(|trial| &trial.leg) {
            Some(Leg::Back { reason }) => reason.clone(),
            Some(Leg::Forth) | None => String::new(),
        };
        self.close(Ended::Returned { reason, trouble })
    }

    fn close(&mut self, ended: Ended) -> Vec<Action> {
        let Some(trial) = self.trial.take() else { return vec![] };
        vec![Action::Close { trial, ended }, Action::Record(None)]
    }

    /// The wait before the next start after a crash: a second, doubled with each.
    fn backoff(&self) -> Duration {
        Duration::from_secs(1).saturating_mul(1 << self.crashes.min(6)).min(LONGEST_BACKOFF)
    }
}
