//! What may be left of runs on other machines: each order is noted beside the sockets of shared
//! connections until nothing of it can be there any more. Where the end was asked for while no
//! connection could be had, or a task is over whose run was lost sight of, it is tried again and
//! again until the far side is seen to be empty (S7: no survivors), or its own limit has passed.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use orch_core::ids::{RunId, TaskKey};
use orch_core::process::ExitCause;
use orch_core::remote::{FaultKind, RemoteEnd};
use orch_process::ssh::{self, Client, Order};
use orch_process::{Observation, RunDir, files};
use serde::{Deserialize, Serialize};

use crate::engine::Engine;

/// From one look at what may be left to the next.
const LOOK: Duration = Duration::from_secs(2);
/// What a far side's own limit is given beyond itself, before nothing of a run can be left there.
const BEYOND: SignedDuration = SignedDuration::from_mins(2);

/// A run that may be on another machine.
#[derive(Debug, Serialize, Deserialize)]
struct Left {
    /// Names the run there.
    run_id: RunId,
    /// How that machine is reached.
    client: Client,
    /// Its directory here.
    dir: PathBuf,
    /// Whose work it is.
    task: TaskKey,
    /// When the far side has ended it by its own limit.
    until: Timestamp,
}

fn folder(engine: &Engine) -> PathBuf {
    engine.home.ssh().join("ordered")
}

/// Takes note of an order before anything of it can be on the far side.
pub fn ordered(engine: &Engine, dir: &RunDir, order: &Order, task: &TaskKey) -> io::Result<()> {
    let limit = SignedDuration::try_from(Duration::from_secs(order.limit_s));
    let limit = limit.unwrap_or(SignedDuration::MAX).saturating_add(BEYOND);
    let left = Left {
        run_id: order.run_id.clone(),
        client: order.client.clone(),
        dir: dir.path().to_owned(),
        task: task.clone(),
        until: engine.clock.now().saturating_add(limit).unwrap_or(Timestamp::MAX),
    };
    let folder = folder(engine);
    std::fs::create_dir_all(&folder)?;
    files::publish(&folder.join(left.run_id.as_str()), &serde_json::to_vec(&left)?)
}

/// Nothing of the run is there any more.
pub fn over(engine: &Engine, run: &RunId) {
    let note = folder(engine).join(run.as_str());
    if let Err(error) = std::fs::remove_file(note)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(run.id = %run, %error, "the note of a remote run could not be removed");
    }
}

/// Looks after what may be left until the service stops.
pub fn run(engine: &Engine) {
    while !engine.wake.sleep_through(LOOK) {
        tick(engine);
    }
}

/// One look at everything that may be left; each that has to go is tried once.
pub fn tick(engine: &Engine) {
    let Ok(notes) = std::fs::read_dir(folder(engine)) else { return };
    for note in notes.flatten().filter(|note| note.path().extension().is_none()) {
        let left = match read(&note.path()) {
            Ok(left) => left,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                tracing::warn!(file = %note.path().display(), %error, "the note of a remote run can't be read");
                continue;
            }
        };
        match wanted(engine, &left) {
            Wanted::Still => {}
            Wanted::Over => over(engine, &left.run_id),
            Wanted::NoMore => end(engine, &left),
        }
    }
}

fn read(note: &Path) -> io::Result<Left> {
    Ok(serde_json::from_slice(&std::fs::read(note)?)?)
}

/// Whether a run on another machine is still to go on there.
enum Wanted {
    /// It is watched, or may be attached to.
    Still,
    /// Nothing of it is there.
    Over,
    /// It has to end.
    NoMore,
}

fn wanted(engine: &Engine, left: &Left) -> Wanted {
    let dir = RunDir::new(&left.dir);
    let asked_for = match orch_process::observe(&dir) {
        Observation::Starting | Observation::Running(_) => return Wanted::Still,
        Observation::Revoked => return Wanted::Over,
        Observation::Exited(exit) => matches!(
            exit.cause,
            ExitCause::Cancelled | ExitCause::TimedOut { .. } | ExitCause::Stalled { .. }
        ),
        Observation::NotStarted | Observation::Lost { .. } => false,
    };
    if engine.clock.now() >= left.until {
        return Wanted::Over;
    }
    match Order::end(&dir) {
        Some(RemoteEnd::Framed(_) | RemoteEnd::Ended { unsure: None }) => return Wanted::Over,
        Some(RemoteEnd::Ended { unsure: Some(_) }) => return Wanted::NoMore,
        Some(RemoteEnd::Faulty(fault))
            if !fault.kind.is_of_the_link() && fault.kind != FaultKind::Stuck =>
        {
            return Wanted::Over;
        }
        Some(RemoteEnd::Faulty(_)) | None => {}
    }
    let task_is_over = engine.store.task(&left.task).is_ok_and(|task| !task.state.is_open());
    if asked_for || task_is_over { Wanted::NoMore } else { Wanted::Still }
}

fn end(engine: &Engine, left: &Left) {
    let (target, runs) = (&left.client.target, std::slice::from_ref(&left.run_id));
    match ssh::stop(&left.client, runs) {
        Ok(()) => {
            tracing::info!(task.key = %left.task, run.id = %left.run_id, %target, "nothing of a run is left on the other machine");
            // What it left of files goes with its folder, there or in three days by itself.
            if let Err(fault) = ssh::clean(&left.client, runs) {
                tracing::debug!(fault = fault.describe(target), "a run's folder was left there");
            }
            over(engine, &left.run_id);
        }
        Err(fault) => {
            tracing::warn!(task.key = %left.task, run.id = %left.run_id, fault = fault.describe(target), "a run may still be at work on the other machine; it is ended as soon as that can be reached");
        }
    }
}
