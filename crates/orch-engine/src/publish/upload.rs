//! One step of handing a run on: its log as far as it is written and, once it is over, the rest.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use orch_core::ids::RunId;
use orch_objects::{CHUNK, Key, Objects, ObjectsError, Place};
use orch_process::{Observation, RunDir};
use orch_store::StoreError;

use super::marker::Marker;
use super::{kept_artifact, kept_artifacts, spec};
use crate::engine::Engine;
use crate::error::chain;

/// Pieces of one log in one step: another run's turn comes in between.
const PIECES: u32 = 16;
/// The largest brief or exit that is handed on; real ones are a hundredth of it.
const MAX_FILE: u64 = 8 << 20;

/// How far a pending run is.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// `None` until the run's directory was asked.
    marker: Option<Marker>,
    /// Brief and specification have been handed on by this process.
    begun: bool,
}

/// What comes next for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on: look again.
    Going,
    /// There is more to do at once.
    More,
    /// Everything is handed on, or there is nothing.
    Done,
}

/// What stopped a step.
#[derive(Debug)]
pub(super) enum Fault {
    /// The store: no other run can do better at the moment.
    Store(ObjectsError),
    /// This run's directory or record.
    Here(String),
}

impl From<ObjectsError> for Fault {
    fn from(error: ObjectsError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Here(error.to_string())
    }
}

/// Hands on what there is to hand on of a run.
pub(super) fn step(
    engine: &Engine,
    objects: &Objects,
    run: &RunId,
    state: &mut Run,
) -> Result<Step, Fault> {
    let dir = RunDir::new(engine.home.run(run));
    if !dir.path().is_dir() {
        return Ok(if engine.active.contains(run) { Step::Going } else { Step::Done });
    }
    // Asked before anything is read: whatever was written before the end is handed on then.
    let over = over(engine, run, &dir)?;
    let marker = state.marker.get_or_insert_with(|| Marker::read(dir.path()));
    if marker.complete {
        return Ok(Step::Done);
    }
    if !state.begun && dir.spec().exists() {
        begin(objects, run, &dir)?;
        state.begun = true;
    }
    if !log(objects, run, &dir, marker)? {
        return Ok(Step::More);
    }
    if !over {
        return Ok(Step::Going);
    }
    finish(objects, run, &dir, *marker)?;
    Marker { complete: true, ..*marker }.write(dir.path())?;
    Ok(Step::Done)
}

/// Whether nothing will be added to the run's directory any more.
fn over(engine: &Engine, run: &RunId, dir: &RunDir) -> Result<bool, Fault> {
    if engine.active.contains(run) {
        return Ok(false);
    }
    match engine.store.run(run) {
        Ok(record) if record.end.is_none() => return Ok(false),
        // A record that is gone has no more to say about the directory than one that has ended.
        Ok(_) | Err(StoreError::NotFound { .. }) => {}
        Err(error) => return Err(Fault::Here(chain(&error))),
    }
    let seen = orch_process::observe(dir);
    Ok(!matches!(seen, Observation::Running(_) | Observation::Starting))
}

/// What is there from the beginning.
fn begin(objects: &Objects, run: &RunId, dir: &RunDir) -> Result<(), Fault> {
    if let Some(text) = file(&dir.path().join("brief.md"))? {
        objects.put(&Key::brief(run), text)?;
    }
    if let Some(text) = file(&dir.spec())?.as_deref().and_then(spec::published) {
        objects.put(&Key::spec(run), text)?;
    }
    Ok(())
}

/// Hands the log on as far as whole lines of it are written; false where there is more.
fn log(objects: &Objects, run: &RunId, dir: &RunDir, marker: &mut Marker) -> Result<bool, Fault> {
    let mut file = match File::open(dir.log()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    for _ in 0..PIECES {
        let Some(Place { chunk, within }) = Place::of(marker.log) else { return Ok(true) };
        let start = marker.log - within;
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        file.by_ref().take(CHUNK).read_to_end(&mut bytes)?;
        let full = bytes.len() as u64 == CHUNK;
        if !full {
            // A line still being written comes with the next look.
            let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
            bytes.truncate(whole);
        }
        let end = start + bytes.len() as u64;
        if end <= marker.log {
            return Ok(true);
        }
        objects.put(&Key::log_chunk(run, chunk), bytes)?;
        marker.log = end;
        marker.write(dir.path())?;
        if !full {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is there at the end; the word that all is there comes last.
fn finish(objects: &Objects, run: &RunId, dir: &RunDir, marker: Marker) -> Result<(), Fault> {
    begin(objects, run, dir)?;
    if let Some(text) = file(&dir.exit())? {
        objects.put(&Key::exit(run), text)?;
    }
    let kept = kept_artifacts(dir.path());
    for (name, _) in &kept {
        if let Some(bytes) = kept_artifact(dir.path(), name) {
            objects.put(&Key::artifact(run, name), bytes)?;
        }
    }
    let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
    let complete = serde_json::json!({
        "run_id": run, "log_bytes": marker.log, "artifacts": names,
    });
    Ok(objects.put(&Key::complete(run), complete.to_string().into_bytes())?)
}

/// A file of sensible size; `None` where there is none, or something else.
fn file(path: &Path) -> Result<Option<Vec<u8>>, Fault> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_file() && found.len() <= MAX_FILE => Ok(Some(std::fs::read(path)?)),
        _ => Ok(None),
    }
}
