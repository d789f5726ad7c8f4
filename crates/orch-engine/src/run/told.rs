//! What an agent told of itself in its run's log, and what that makes of its end.

use orch_agents::{Descriptor, EventReader, Source, Tally};
use orch_core::outcome::{AgentEnd, Outcome};
use orch_core::process::RunExit;
use orch_core::session::{RunSession, is_id};
use orch_process::{Observation, RunDir};

use super::{Halt, Owned, session};
use crate::engine::Engine;

/// Reads the log of an ended run, and records its session.
pub fn read(engine: &Engine, owned: &Owned, descriptor: &Descriptor) -> Result<Tally, Halt> {
    let tally = tally(&RunDir::new(engine.home.run(&owned.owner.run_id)), descriptor);
    if let Some(id) = tally.session.clone().filter(|id| is_id(id)) {
        let session = RunSession { adapter: descriptor.adapter.name().to_owned(), id };
        engine.store.stamp_session(&owned.fence(), &session)?;
    }
    Ok(tally)
}

/// What the end means, with what earlier runs of the job came to.
pub fn outcome(engine: &Engine, owned: &Owned, end: &AgentEnd) -> Result<Outcome, Halt> {
    let first = end.outcome(false);
    let Outcome::AgentStuck { how, .. } = &first else { return Ok(first) };
    // An operator's retry begins anew: it takes the defers back.
    let again = owned.job.defers > 0
        && session::earlier(engine, owned)?.iter().any(|run| {
            let stuck =
                |end: &Outcome| matches!(end, Outcome::AgentStuck { how: was, .. } if was == how);
            run.job_id == owned.job.id && run.end.as_ref().is_some_and(|(_, end)| stuck(end))
        });
    Ok(end.outcome(again))
}

/// What the log of a run adds up to, read line by line.
pub fn tally(dir: &RunDir, descriptor: &Descriptor) -> Tally {
    let mut tally = Tally::default();
    let mut reader = EventReader::new((descriptor.mapper)());
    for line in orch_process::log::lines(dir) {
        let source = match line.stream.as_str() {
            "stdout" => Source::Out,
            "stderr" => Source::Err,
            _ => continue,
        };
        for event in reader.piece(source, &line.text, line.more) {
            tally.add(line.at, event);
        }
    }
    // A log that is full, or that the disk did not take, lacks the end; the exit keeps it.
    if descriptor.demands.closing
        && tally.told.closed.is_none()
        && let Observation::Exited(exit) = orch_process::observe(dir)
    {
        add_tail(&mut tally, descriptor, &exit);
    }
    tally
}

fn add_tail(tally: &mut Tally, descriptor: &Descriptor, exit: &RunExit) {
    let mut reader = EventReader::new((descriptor.mapper)());
    for line in exit.stdout_tail.lines() {
        for event in reader.piece(Source::Out, line, false) {
            tally.add(exit.finished_at, event);
        }
    }
}
