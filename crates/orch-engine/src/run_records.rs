//! What runs left behind, for reading: from the run's directory where it is here, else from the
//! object store (S14).

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use orch_core::ids::{RunId, WorkerId};
use orch_objects::{ArtifactName, BadArtifactName, Key, Objects, ObjectsError};
use orch_process::RunDir;
use orch_process::log::{MAX_SLICE, whole_lines};
use orch_store::Run;

use crate::operate::{OperateError, Operator, Result};
use crate::publish;

/// A piece of a run's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLog {
    /// Whole lines where the request has room for one; a longer line comes in pieces.
    pub bytes: Vec<u8>,
    /// Where the next read goes on.
    pub next_offset: u64,
    /// True when this reaches the end of what can be read so far.
    pub end: bool,
    /// True when nothing will be added to what can be read.
    pub over: bool,
    /// True where it comes from the object store: looking again costs requests.
    pub remote: bool,
}

/// An artifact that a run's gate judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunArtifact {
    /// Its name in the task's folder, such as `13-test-report.md`.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// How long after a run's end the rest of its log is waited for: the machine that has it may have
/// gone for good.
const LATE: jiff::SignedDuration = jiff::SignedDuration::from_secs(60);
/// The largest artifact that is read.
const MAX_ARTIFACT: u64 = orch_core::artifact::MAX_ARTIFACT_BYTES as u64;

/// The largest brief that is read; they are cut far below it.
const MAX_BRIEF: u64 = 1 << 20;

/// Where a run's directory, or what was made of it, is.
enum Whereabouts<'a> {
    /// On this machine, or it will be.
    Here(RunDir),
    /// In the object store.
    Store(&'a Objects),
}

impl Operator {
    /// A piece of a run's log.
    pub fn run_log(&self, run: &RunId, offset: u64, max: usize) -> Result<RunLog> {
        // Asked before the log is read: what was written before the end is read in any case.
        let record = self.store().run(run)?;
        let ended = record.end.as_ref().map(|(at, _)| *at);
        match self.whereabouts(&record, "log")? {
            Whereabouts::Here(dir) => {
                let slice = orch_process::log::read(&dir, offset, max)
                    .map_err(|error| unreadable(&error))?;
                let (bytes, next_offset, end) = (slice.bytes, slice.next_offset, slice.end);
                Ok(RunLog { bytes, next_offset, end, over: ended.is_some(), remote: false })
            }
            Whereabouts::Store(objects) => {
                let over = match ended {
                    None => false,
                    Some(at) if self.now().duration_since(at) > LATE => true,
                    Some(_) => {
                        objects.size(&Key::complete(run)).map_err(|error| away(&error))?.is_some()
                    }
                };
                let piece = objects
                    .read_log(run, offset, max.min(MAX_SLICE))
                    .map_err(|error| away(&error))?;
                let slice = whole_lines(piece.bytes, offset, piece.end);
                let (bytes, next_offset, end) = (slice.bytes, slice.next_offset, slice.end);
                Ok(RunLog { bytes, next_offset, end, over, remote: true })
            }
        }
    }

    /// The length of a run's log in bytes, as far as it can be read.
    pub fn run_log_length(&self, run: &RunId) -> Result<u64> {
        match self.whereabouts(&self.store().run(run)?, "log")? {
            Whereabouts::Here(dir) => {
                orch_process::log::length(&dir).map_err(|error| unreadable(&error))
            }
            Whereabouts::Store(objects) => objects.log_length(run).map_err(|error| away(&error)),
        }
    }

    /// The brief that a run's agent was given, as it was rendered.
    pub fn run_brief(&self, run: &RunId) -> Result<Vec<u8>> {
        let found = match self.whereabouts(&self.store().run(run)?, "brief")? {
            Whereabouts::Here(dir) => {
                read_brief(&dir.path().join("brief.md")).map_err(|error| unreadable(&error))?
            }
            Whereabouts::Store(objects) => {
                objects.get(&Key::brief(run), MAX_BRIEF).map_err(|error| away(&error))?
            }
        };
        found.ok_or_else(|| OperateError::NotFound {
            what: format!("run {run} was given no brief: no agent worked in it"),
        })
    }

    /// The artifacts as a run's gate judged them, by name; none where no gate has judged.
    pub fn run_artifacts(&self, run: &RunId) -> Result<Vec<RunArtifact>> {
        match self.whereabouts(&self.store().run(run)?, "artifacts")? {
            Whereabouts::Here(dir) => Ok(publish::kept_artifacts(dir.path())
                .into_iter()
                .map(|(name, bytes)| RunArtifact { name: name.to_string(), bytes })
                .collect()),
            Whereabouts::Store(objects) => {
                let stored = objects.list_artifacts(run).map_err(|error| away(&error))?;
                let known =
                    stored.into_iter().filter(|one| one.name.parse::<ArtifactName>().is_ok());
                Ok(known.map(|one| RunArtifact { name: one.name, bytes: one.bytes }).collect())
            }
        }
    }

    /// One artifact as a run's gate judged it.
    pub fn run_artifact(&self, run: &RunId, name: &str) -> Result<Vec<u8>> {
        let parsed: ArtifactName = name
            .parse()
            .map_err(|error: BadArtifactName| OperateError::NotFound { what: error.to_string() })?;
        let found = match self.whereabouts(&self.store().run(run)?, "artifacts")? {
            Whereabouts::Here(dir) => publish::kept_artifact(dir.path(), &parsed),
            Whereabouts::Store(objects) => objects
                .get(&Key::artifact(run, &parsed), MAX_ARTIFACT)
                .map_err(|error| away(&error))?,
        };
        found.ok_or_else(|| OperateError::NotFound {
            what: format!("the gate of run {run} has judged no {parsed}"),
        })
    }

    fn whereabouts(&self, record: &Run, what: &str) -> Result<Whereabouts<'_>> {
        let dir = RunDir::new(self.engine().home.run(&record.run_id));
        if dir.path().is_dir() {
            return Ok(Whereabouts::Here(dir));
        }
        let mine = record.worker_id == self.engine().worker;
        // An own run without a directory has not begun; one that ended without a process, such as
        // the merge gate's, left nothing anywhere.
        let nothing = record.end.is_some() && record.process.is_none();
        if nothing || (mine && record.end.is_none()) {
            return Ok(Whereabouts::Here(dir));
        }
        match self.engine().publishing.objects() {
            Some(objects) => Ok(Whereabouts::Store(objects)),
            None if mine => Err(OperateError::NotFound {
                what: format!("the {what} of run {} was removed from this machine", record.run_id),
            }),
            None => Err(elsewhere(&record.run_id, &record.worker_id, what)),
        }
    }
}

/// `None` where there is none.
fn read_brief(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match File::open(path) {
        Ok(file) => {
            let mut text = Vec::new();
            file.take(MAX_BRIEF).read_to_end(&mut text)?;
            Ok(Some(text))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn elsewhere(run: &RunId, worker: &WorkerId, what: &str) -> OperateError {
    OperateError::NotAllowed {
        reason: format!(
            "the {what} of run {run} is on the machine of {worker}; set [object_store] on every \
             machine to reach it from here"
        ),
    }
}

fn unreadable(error: &io::Error) -> OperateError {
    OperateError::Unavailable { reason: format!("what the run left can't be read: {error}") }
}

fn away(error: &ObjectsError) -> OperateError {
    let remedy = match error {
        ObjectsError::Unavailable { .. } => "",
        ObjectsError::Denied { .. } | ObjectsError::Missing { .. } => "; see `orch doctor`",
    };
    OperateError::Unavailable { reason: format!("{error}{remedy}") }
}
