//! Writes `log.jsonl`: bounded, never torn by our own doing, and never a reason to stop the run.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

/// Lines are gathered up to this size before they are written.
const BUFFER_BYTES: usize = 32 << 10;

/// Where a line of the log comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    Stdout,
    Stderr,
    Supervisor,
}

#[derive(Serialize)]
struct Line<'a> {
    at: &'a str,
    stream: Source,
    text: &'a str,
    /// The same line goes on in the next one of this stream.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

/// The log of one run.
#[derive(Debug)]
pub(super) struct LogFile {
    /// `None` where it could not be opened; every line is lost then.
    file: Option<File>,
    /// Length of the file: everything up to here is whole lines.
    length: u64,
    limit: u64,
    /// True once the limit was reached and said so.
    full: bool,
    buffer: Vec<u8>,
    buffered_lines: u64,
    /// Lines that the disk refused and that have not been reported yet.
    lost: u64,
}

impl LogFile {
    /// Opens the log; where that fails, the run goes on without one.
    pub(super) fn open(path: &Path, limit: u64) -> Self {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok();
        let length = file.as_ref().and_then(|f| f.metadata().ok()).map_or(0, |m| m.len());
        Self { file, length, limit, full: false, buffer: Vec::new(), buffered_lines: 0, lost: 0 }
    }

    /// Adds a line of output, unless the limit is reached.
    pub(super) fn output(&mut self, at: &str, source: Source, bytes: &[u8], more: bool) {
        if self.full {
            return;
        }
        let before = self.buffer.len();
        self.append(at, source, &String::from_utf8_lossy(bytes), more);
        if self.length + self.buffer.len() as u64 > self.limit {
            self.buffer.truncate(before);
            self.buffered_lines -= 1;
            self.full = true;
            let limit = self.limit;
            self.say(&format!(
                "the log limit of {limit} bytes is reached; later output is counted, not kept"
            ));
        } else if self.buffer.len() >= BUFFER_BYTES {
            self.flush();
        }
    }

    /// Adds a line of the supervisor's own; there are few, so the limit does not count for them.
    pub(super) fn say(&mut self, text: &str) {
        self.append(&now(), Source::Supervisor, text, false);
    }

    fn append(&mut self, at: &str, stream: Source, text: &str, more: bool) {
        if serde_json::to_writer(&mut self.buffer, &Line { at, stream, text, more }).is_ok() {
            self.buffer.push(b'\n');
            self.buffered_lines += 1;
        }
    }

    /// Writes what is gathered. What the disk refuses is dropped and counted; the count is said
    /// when the disk takes lines again.
    pub(super) fn flush(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let lost = self.lost;
        if lost > 0 {
            self.say(&format!("{lost} lines are missing here: the disk did not take them"));
        }
        match self.write() {
            Ok(()) => {
                self.length += self.buffer.len() as u64;
                self.lost = 0;
            }
            Err(_) => self.lost += self.buffered_lines - u64::from(lost > 0),
        }
        self.buffer.clear();
        self.buffered_lines = 0;
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::Error::other("no log file")) };
        file.write_all(&self.buffer).inspect_err(|_| {
            // A part may have gone through; take it back so that no line is torn.
            let _ = file.set_len(self.length);
        })
    }

    /// Makes the log durable as far as the disk allows.
    pub(super) fn finish(&mut self) {
        self.flush();
        if let Some(file) = &self.file {
            let _ = file.sync_data();
        }
    }
}

/// The present moment as the log writes it: RFC 3339 with milliseconds.
pub(super) fn now() -> String {
    format!("{:.3}", Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(path: &Path) -> Vec<String> {
        std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| {
                let value: serde_json::Value = serde_json::from_str(line).unwrap();
                assert!(value["at"].as_str().unwrap().parse::<Timestamp>().is_ok());
                value["text"].as_str().unwrap().to_owned()
            })
            .collect()
    }

    #[test]
    fn the_limit_is_said_once_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = LogFile::open(&path, 400);
        for _ in 0..100 {
            log.output(&now(), Source::Stdout, b"some output", false);
            log.flush();
        }
        log.say("bye");
        log.finish();
        let texts = texts(&path);
        assert_eq!(texts.iter().filter(|t| t.contains("log limit of 400 bytes")).count(), 1);
        assert!(texts.len() > 3 && texts.len() < 10);
        assert_eq!(texts.last().unwrap(), "bye");
    }

    #[test]
    fn a_disk_that_refuses_costs_lines_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = LogFile::open(&path, u64::MAX);
        log.say("before");
        log.flush();
        let working = log.file.replace(File::open("/dev/null").unwrap());
        for _ in 0..2 {
            log.output(&now(), Source::Stderr, b"lost", false);
            log.output(&now(), Source::Stderr, b"lost too", false);
            log.flush();
        }
        log.file = working;
        log.say("after");
        log.finish();
        let texts = texts(&path);
        assert_eq!(texts.len(), 3);
        assert!(texts.contains(&"4 lines are missing here: the disk did not take them".to_owned()));
    }

    #[test]
    fn a_log_that_can_not_be_opened_is_no_obstacle() {
        let mut log = LogFile::open(Path::new("/nonexistent/log"), 10);
        log.output(&now(), Source::Stdout, b"x", false);
        log.finish();
        assert!(log.file.is_none());
    }
}
