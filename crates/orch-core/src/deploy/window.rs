//! A window of looks: several passes in a row within a time, summed up at its end. An answer that
//! came a moment too early or too late decides nothing.

use std::time::Duration;

use super::{Health, Running, Seen};
use crate::ids::Revision;

/// One look through all configured probes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// `None` without a health probe.
    pub health: Option<Health>,
    /// `None` without a freshness probe.
    pub running: Option<Running>,
}

/// How long and how often it is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowRules {
    /// From one look to the next.
    pub interval: Duration,
    /// From the first look to the last; a row of passes that has begun may still be finished.
    pub within: Duration,
    /// Passes in a row that settle it.
    pub passes: u32,
}

/// A window that is open.
#[derive(Debug, Clone)]
pub struct Window {
    rules: WindowRules,
    /// What has to run; `None` where any revision that answers will do.
    wanted: Option<Revision>,
    looks: u32,
    /// Passes in a row of everything, and of the health alone.
    row: u32,
    healthy_row: u32,
    /// Failed looks of the health, and how often it went from good to bad.
    bad: u32,
    flaps: u32,
    /// The last finding that was not healthy.
    last_bad: Option<Health>,
    /// Looks since a probe failed; `None` where none has.
    since_unreachable: Option<(u32, Look)>,
    last: Option<Look>,
}

impl Window {
    /// Opens a window.
    pub fn new(rules: WindowRules, wanted: Option<Revision>) -> Self {
        Self {
            rules,
            wanted,
            looks: 0,
            row: 0,
            healthy_row: 0,
            bad: 0,
            flaps: 0,
            last_bad: None,
            since_unreachable: None,
            last: None,
        }
    }

    /// Adds a look that ended `at` after the window was opened; the sum of all once it is settled.
    pub fn look(&mut self, at: Duration, look: Look) -> Option<Seen> {
        self.looks += 1;
        self.note_health(look.health.as_ref());
        self.row = if self.passes(&look) { self.row + 1 } else { 0 };
        let failed = look.health.as_ref().and_then(Health::unreachable).is_some()
            || look.running.as_ref().and_then(Running::unreachable).is_some();
        if failed {
            self.since_unreachable = Some((0, look.clone()));
        } else if let Some((since, _)) = &mut self.since_unreachable {
            *since += 1;
        }
        self.last = Some(look);
        let over = at >= self.rules.within && !self.is_begun();
        (self.row >= self.rules.passes || over).then(|| self.sum())
    }

    fn note_health(&mut self, health: Option<&Health>) {
        match health {
            None => {}
            Some(Health::Healthy) => self.healthy_row += 1,
            Some(bad) => {
                self.flaps += u32::from(self.healthy_row > 0);
                self.healthy_row = 0;
                self.bad += 1;
                self.last_bad = Some(bad.clone());
            }
        }
    }

    fn passes(&self, look: &Look) -> bool {
        let healthy = matches!(look.health, None | Some(Health::Healthy));
        let fresh = match (&look.running, &self.wanted) {
            (None, _) => true,
            (Some(Running::Is { revision }), Some(wanted)) => revision == wanted,
            (Some(running), None) => running.answers(),
            (Some(_), Some(_)) => false,
        };
        healthy && fresh
    }

    /// Whether a row of passes has begun that is not finished: it is not cut off by the time.
    fn is_begun(&self) -> bool {
        let begun = |row: u32| row > 0 && row < self.rules.passes;
        begun(self.row) || begun(self.healthy_row)
    }

    fn sum(&self) -> Seen {
        let Some(last) = &self.last else { return Seen::default() };
        // A probe that failed within the last looks is not trusted, whatever came after it.
        let blind = match &self.since_unreachable {
            Some((since, look)) if *since < self.rules.passes => Some(look),
            _ => None,
        };
        let unreachable_health = blind
            .and_then(|look| look.health.clone())
            .filter(|health| health.unreachable().is_some());
        let unreachable_running = blind
            .and_then(|look| look.running.clone())
            .filter(|running| running.unreachable().is_some());
        let health =
            last.health.as_ref().map(|_| unreachable_health.unwrap_or_else(|| self.health()));
        let running = last.running.clone().map(|running| unreachable_running.unwrap_or(running));
        Seen { health, running, looks: self.looks }
    }

    fn health(&self) -> Health {
        let Some(bad) = self.last_bad.clone().filter(|_| self.healthy_row < self.rules.passes)
        else {
            return Health::Healthy;
        };
        if self.flaps == 0 {
            return bad;
        }
        let count = format!("{} of {} looks failed", self.bad, self.looks);
        match bad {
            Health::Unhealthy { what } => {
                Health::Unhealthy { what: format!("{count}, the last with {what}") }
            }
            Health::Down { what } => {
                Health::Down { what: format!("{count}, the last with {what}") }
            }
            other => other,
        }
    }
}
