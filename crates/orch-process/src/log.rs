//! Reads a run's log in slices, while it grows as well.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use jiff::Timestamp;
use serde::Deserialize;

use crate::run_dir::RunDir;

/// The most that one read returns; more is asked for with the next offset.
pub const MAX_SLICE: usize = 1 << 20;

/// A piece of `log.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSlice {
    /// Whole lines where the request has room for one; a longer line comes in pieces.
    pub bytes: Vec<u8>,
    /// Where the next read goes on.
    pub next_offset: u64,
    /// True when this reaches the last whole line written so far.
    pub end: bool,
}

/// Reads at most `max` bytes (and at most [`MAX_SLICE`]) from `offset`. A log that does not exist
/// yet is an empty one; an offset beyond the end yields nothing and stays.
pub fn read(dir: &RunDir, offset: u64, max: usize) -> io::Result<LogSlice> {
    let nothing = LogSlice { bytes: Vec::new(), next_offset: offset, end: true };
    let mut file = match File::open(dir.log()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(nothing),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    let wanted = length.saturating_sub(offset).min(max.min(MAX_SLICE) as u64);
    if wanted == 0 {
        return Ok(LogSlice { end: offset >= length, ..nothing });
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::with_capacity(wanted as usize);
    file.take(wanted).read_to_end(&mut bytes)?;
    let reached = offset + bytes.len() as u64 >= length;
    Ok(whole_lines(bytes, offset, reached))
}

/// Makes a slice of what was read at `offset`; `end` says that it reaches the end of the log.
pub fn whole_lines(mut bytes: Vec<u8>, offset: u64, end: bool) -> LogSlice {
    match bytes.iter().rposition(|b| *b == b'\n') {
        Some(last) => bytes.truncate(last + 1),
        // A line still being written, or one torn by a crash, is not served.
        None if end => bytes.clear(),
        None => {}
    }
    let next_offset = offset + bytes.len() as u64;
    LogSlice { bytes, next_offset, end }
}

/// The length of the log in bytes; 0 where there is none yet.
pub fn length(dir: &RunDir) -> io::Result<u64> {
    match std::fs::metadata(dir.log()) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error),
    }
}

/// One line of output, as it stands in `log.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LogLine {
    /// When it was read from the pipe.
    pub at: Timestamp,
    /// `stdout`, `stderr` or `supervisor`.
    pub stream: String,
    /// The line, without its end.
    pub text: String,
    /// True for the beginning of a long line that goes on in the next one of its stream.
    #[serde(default)]
    pub more: bool,
}

/// Every line of a run's log, one at a time; lines that can't be read are passed over, and a log
/// that does not exist has none.
pub fn lines(dir: &RunDir) -> impl Iterator<Item = LogLine> {
    let file = File::open(dir.log()).ok();
    let raw =
        file.into_iter().flat_map(|file| BufReader::new(file).split(b'\n').map_while(Result::ok));
    raw.filter_map(|line| serde_json::from_slice(&line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slice(text: &str, next_offset: u64, end: bool) -> LogSlice {
        LogSlice { bytes: text.into(), next_offset, end }
    }

    #[test]
    fn torn_and_foreign_lines_are_passed_over() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path());
        assert_eq!(lines(&dir).count(), 0);
        let good = r#"{"at":"2026-01-02T03:04:05Z","stream":"stdout","text":"hello"}"#;
        std::fs::write(dir.log(), format!("{good}\nnot json\n[1]\n{good}\n{}", &good[..20]))
            .unwrap();
        let texts: Vec<String> = lines(&dir).map(|line| line.text).collect();
        assert_eq!(texts, ["hello", "hello"]);
    }

    #[test]
    fn slices_are_whole_lines() {
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path());
        assert_eq!(read(&dir, 7, 100).unwrap(), slice("", 7, true));
        assert_eq!(length(&dir).unwrap(), 0);
        std::fs::write(dir.log(), "one\ntwo\nthree\ntor").unwrap();
        assert_eq!(length(&dir).unwrap(), 17);
        for (offset, max, expected) in [
            (0, 100, slice("one\ntwo\nthree\n", 14, true)),
            (0, 6, slice("one\n", 4, false)),
            (4, 4, slice("two\n", 8, false)),
            (8, 3, slice("thr", 11, false)),
            (11, 3, slice("ee\n", 14, false)),
            (14, 100, slice("", 14, true)),
            (14, 1, slice("t", 15, false)),
            (0, 0, slice("", 0, false)),
            (17, 5, slice("", 17, true)),
            (u64::MAX, 5, slice("", u64::MAX, true)),
        ] {
            assert_eq!(read(&dir, offset, max).unwrap(), expected, "at {offset}, {max} bytes");
        }
    }
}
