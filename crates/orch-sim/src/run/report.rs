//! What is said of runs.

use std::collections::BTreeMap;
use std::fmt;

use super::Session;
use crate::directive::Directive;
use crate::judge::Violation;
use crate::plant::Plant;
use crate::world::Setup;

/// A seed that broke a law.
#[derive(Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The steps that were asked for.
    pub steps: u64,
    /// The planted bug, where there was one.
    pub plant: Option<Plant>,
    /// The world's layout.
    pub setup: Setup,
    /// The law that was broken.
    pub violation: Violation,
    /// Everything that happened, the last directive being the one that broke it.
    pub script: Vec<Directive>,
}

impl Failure {
    /// The command that does it again.
    pub fn command(&self) -> String {
        let plant = self.plant.map(|plant| format!(" --plant {plant}")).unwrap_or_default();
        format!("cargo run -p orch-sim -- --seed {} --steps {}{plant}", self.seed, self.steps)
    }

    /// What happened as a script.
    pub fn text(setup: &Setup, script: &[Directive]) -> String {
        let lines = script.iter().map(|directive| format!("{directive}\n"));
        std::iter::once(format!("{setup}\n")).chain(lines).collect()
    }
}

/// What was simulated, over all seeds.
#[derive(Debug, Default, serde::Serialize)]
pub struct Summary {
    /// Seeds.
    pub seeds: u64,
    /// Steps that were judged.
    pub steps: u64,
    /// Simulated time in hours.
    pub simulated_hours: f64,
    /// Tasks that were submitted.
    pub tasks: u64,
    /// Tasks that reached the end of their pipeline.
    pub done: u64,
    /// Tasks that were cancelled.
    pub cancelled: u64,
    /// Branches that landed.
    pub landed: u64,
    /// Services that died.
    pub crashes: u64,
    /// Boots and container restarts.
    pub restarts: u64,
    /// Runs taken up by a restarted service.
    pub adopted: u64,
    /// Jobs taken back from runs that were gone.
    pub reaped: u64,
    /// Runs that found themselves fenced off.
    pub fenced: u64,
    /// Channels that a shared fault paused.
    pub pauses: u64,
    /// Pauses that a probe ended.
    pub released: u64,
    /// Faults by kind.
    pub faults: BTreeMap<String, u64>,
    /// Laws that were looked at.
    pub checks: u64,
    /// Real time in seconds.
    pub seconds: f64,
    /// Seeds that broke a law.
    pub failures: u64,
}

impl Summary {
    /// Adds a session.
    pub fn add(&mut self, session: &Session) {
        let counts = &session.world.counts;
        self.seeds += 1;
        self.steps += session.steps;
        self.checks += session.judge.checks;
        self.simulated_hours += counts.simulated_ms as f64 / 3_600_000.0;
        self.crashes += counts.crashes;
        self.restarts += counts.restarts;
        self.adopted += counts.adopted;
        self.reaped += counts.reaped;
        self.fenced += counts.fenced;
        self.pauses += counts.pauses;
        self.released += counts.released;
        for (fault, times) in &counts.faults {
            *self.faults.entry(fault.clone()).or_default() += times;
        }
        for task in &session.judge.state().tasks {
            self.tasks += 1;
            match task.state.status() {
                "done" => self.done += 1,
                "cancelled" => self.cancelled += 1,
                _ => {}
            }
        }
        let landed = session.world.remotes.values().flat_map(|remote| &remote.main);
        self.landed += landed.filter(|commit| commit.by.is_some()).count() as u64;
    }

    /// Faults of every kind together.
    pub fn all_faults(&self) -> u64 {
        self.faults.values().sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "simulated {:.0} hours in {} seeds, {} steps ({:.0} steps/s): {} crashes, {} restarts, \
             {} faults of {} kinds",
            self.simulated_hours,
            self.seeds,
            self.steps,
            self.steps as f64 / self.seconds.max(0.001),
            self.crashes,
            self.restarts,
            self.all_faults(),
            self.faults.len()
        )?;
        writeln!(
            f,
            "tasks {}: {} done, {} cancelled, {} landed; runs adopted {}, reaped {}, fenced off {}; \
             channels paused {}, {} of them opened by a probe",
            self.tasks,
            self.done,
            self.cancelled,
            self.landed,
            self.adopted,
            self.reaped,
            self.fenced,
            self.pauses,
            self.released
        )?;
        write!(f, "laws looked at {}; seeds that broke one: {}", self.checks, self.failures)
    }
}
