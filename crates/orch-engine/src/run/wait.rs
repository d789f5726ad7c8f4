//! The wait for a run's end: its supervisor holds the clock, this side only looks.

use orch_core::outcome::Outcome;
use orch_core::process::RunExit;
use orch_process::{Observation, RunDir};

use super::{Halt, Owned};
use crate::active::Driven;
use crate::engine::Engine;

/// Waits until the run has ended, has lost its job, or the service stops.
pub fn wait(engine: &Engine, owned: &Owned, driven: &Driven) -> Result<RunExit, Halt> {
    let dir = RunDir::new(engine.home.run(&owned.owner.run_id));
    let halt = || engine.wake.stopping() || driven.is_lost();
    let seen = orch_process::wait_exit(&dir, &halt);
    if let (Observation::Exited(_) | Observation::Lost { .. }, Some(outcome)) =
        (&seen, driven.overruled())
    {
        return Err(Halt::Infra(outcome));
    }
    match seen {
        Observation::Exited(exit) => Ok(exit),
        Observation::Lost { reason } => Err(Halt::Infra(Outcome::Lost { reason })),
        Observation::Revoked => Err(Halt::moment("the run was given up before it started")),
        Observation::NotStarted | Observation::Starting | Observation::Running(_) => {
            Err(if driven.is_lost() { Halt::Lost } else { Halt::Stopping })
        }
    }
}
