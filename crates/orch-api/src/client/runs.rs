//! Runs and their logs.

use super::stream::Frames;
use super::transport::{Sent, bytes, encode};
use super::{Client, Result};
use crate::page::{MAX_LIMIT, Page};
use crate::run::{LogLine, RunArtifact, RunDetail};

impl Client {
    /// One run.
    pub fn run(&self, run_id: &str) -> Result<RunDetail> {
        self.transport.get_json(&format!("/runs/{}", encode(run_id)))
    }

    /// A run's whole log as written so far, one JSON object a line ([`LogLine`]).
    pub fn run_log(&self, run_id: &str) -> Result<Vec<u8>> {
        self.log(run_id, &[])
    }

    /// A piece of a run's log, as an HTTP range: `bytes=0-99`, `bytes=100-`, `bytes=-500`. The
    /// answer may be shorter than asked for; a problem with status 416 where nothing is there.
    pub fn run_log_range(&self, run_id: &str, range: &str) -> Result<Vec<u8>> {
        self.log(run_id, &[("range", range)])
    }

    fn log(&self, run_id: &str, headers: &[(&str, &str)]) -> Result<Vec<u8>> {
        let path = format!("/runs/{}/log", encode(run_id));
        let mut answer = self.transport.get(&path, Sent { headers, stream: false })?;
        bytes(&format!("{}{path}", self.base_url()), &mut answer)
    }

    /// The brief that a run's agent was given.
    pub fn run_brief(&self, run_id: &str) -> Result<Vec<u8>> {
        let path = format!("/runs/{}/brief", encode(run_id));
        let mut answer = self.transport.get(&path, Sent { headers: &[], stream: false })?;
        bytes(&format!("{}{path}", self.base_url()), &mut answer)
    }

    /// The artifacts that a run's gate judged; a run has fewer than a page holds.
    pub fn run_artifacts(&self, run_id: &str) -> Result<Vec<RunArtifact>> {
        let path = format!("/runs/{}/artifacts?limit={MAX_LIMIT}", encode(run_id));
        let page: Page<RunArtifact> = self.transport.get_json(&path)?;
        Ok(page.items)
    }

    /// One artifact as a run's gate judged it.
    pub fn run_artifact(&self, run_id: &str, name: &str) -> Result<Vec<u8>> {
        let path = format!("/runs/{}/artifacts/{}", encode(run_id), encode(name));
        let mut answer = self.transport.get(&path, Sent { headers: &[], stream: false })?;
        bytes(&format!("{}{path}", self.base_url()), &mut answer)
    }

    /// Follows a run's log from an offset in bytes (0 is its beginning) to the run's end.
    pub fn run_log_follow(&self, run_id: &str, offset: u64) -> Result<LogStream> {
        let path = format!("/runs/{}/log", encode(run_id));
        let frames = Frames::open(&self.transport, &path, Some(offset.to_string()))?;
        Ok(LogStream { frames })
    }
}

/// One line of a log as it is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Where the next line begins, in bytes.
    pub next_offset: u64,
    /// The line; `Err` with its text where it is not what the supervisor writes.
    pub line: std::result::Result<LogLine, String>,
}

/// A run's log as it is written. Ends with the run.
#[derive(Debug)]
pub struct LogStream {
    frames: Frames,
}

impl Iterator for LogStream {
    type Item = Result<LogEntry>;

    fn next(&mut self) -> Option<Self::Item> {
        let frame = match self.frames.next()? {
            Ok(frame) => frame,
            Err(error) => return Some(Err(error)),
        };
        if frame.name == "end" {
            self.frames.close();
            return None;
        }
        let text = frame.data.unwrap_or_default();
        let next_offset = frame.id.and_then(|id| id.parse().ok()).unwrap_or_default();
        let line = serde_json::from_str(&text).map_err(|_| text);
        Some(Ok(LogEntry { next_offset, line }))
    }
}
