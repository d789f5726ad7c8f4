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
    if !state.begun {
        begin(objects, run, &dir)?;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write as _;

    use orch_core::settings::ObjectStore;
    use orch_process::log::whole_lines;

    use super::*;

    struct Scene {
        _root: tempfile::TempDir,
        objects: Objects,
        dir: RunDir,
        run: RunId,
    }

    fn scene() -> Scene {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("objects").to_str().unwrap().to_owned();
        let objects = Objects::new(&ObjectStore::Directory(place), &BTreeMap::new()).unwrap();
        let dir = RunDir::new(root.path().join("run"));
        std::fs::create_dir(dir.path()).unwrap();
        Scene { _root: root, objects, dir, run: RunId::from_parts(1, 1) }
    }

    impl Scene {
        fn append(&self, bytes: &[u8]) {
            let mut file = File::options().create(true).append(true).open(self.dir.log()).unwrap();
            file.write_all(bytes).unwrap();
        }

        /// Hands on, as a service does that was started a moment ago.
        fn hand_on(&self) {
            let mut marker = Marker::read(self.dir.path());
            while !log(&self.objects, &self.run, &self.dir, &mut marker).unwrap() {}
        }

        /// The whole lines that a reader elsewhere gets.
        fn read(&self) -> Vec<u8> {
            let mut bytes = Vec::new();
            loop {
                let offset = bytes.len() as u64;
                let piece = self.objects.read_log(&self.run, offset, 100_000).unwrap();
                let slice = whole_lines(piece.bytes, offset, piece.end);
                if slice.bytes.is_empty() {
                    return bytes;
                }
                bytes.extend(slice.bytes);
            }
        }
    }

    /// However a log grows and whenever the service is started again, a reader elsewhere has its
    /// whole lines and nothing else.
    #[test]
    fn a_growing_log_is_handed_on_in_whole_lines() {
        for seed in 0..8 {
            let mut random = fastrand::Rng::with_seed(seed);
            let scene = scene();
            let mut written = Vec::new();
            for _ in 0..12 {
                let length = random.usize(0..200_000);
                let piece: Vec<u8> = (0..length)
                    .map(|_| if random.u32(0..5_000) == 0 { b'\n' } else { b'x' })
                    .collect();
                scene.append(&piece);
                written.extend(piece);
                scene.hand_on();
                let whole = written.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
                assert!(scene.read() == written[..whole], "seed {seed}, {} bytes", written.len());
            }
            scene.append(b"\n");
            written.push(b'\n');
            scene.hand_on();
            assert!(scene.read() == written, "seed {seed}");
            assert_eq!(scene.objects.log_length(&scene.run).unwrap(), written.len() as u64);
        }
    }

    /// What a crash between the upload and its note leads to, and a log that lost its end.
    #[test]
    fn a_marker_behind_the_store_and_a_log_behind_the_marker_do_no_harm() {
        let scene = scene();
        scene.append(b"one\ntwo\n");
        scene.hand_on();
        Marker { log: 4, complete: false }.write(scene.dir.path()).unwrap();
        scene.append(b"three\n");
        scene.hand_on();
        assert_eq!(scene.read(), b"one\ntwo\nthree\n");
        std::fs::write(scene.dir.log(), "one\n").unwrap();
        scene.hand_on();
        assert_eq!(scene.read(), b"one\ntwo\nthree\n");
    }
}
