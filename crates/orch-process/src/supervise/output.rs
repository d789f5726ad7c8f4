//! Takes the child's two output streams as they come: into the log, into the tails, into the count.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;

use orch_core::process::ExitCause;
use orch_core::redact::{MaskedStream, Masks};
use rustix::io::Errno;

use super::lines::Lines;
use super::log_file::{LogFile, Source, now};
use super::steps::Steps;
use super::tail::Tail;

/// One read; half a pipe.
const READ_BYTES: usize = 32 << 10;
/// Once the tree is dead, a pipe holds no more than its capacity (at most 1 MiB by default); more
/// comes only from a stranger who was handed the pipe and is not waited for.
const DRAIN_READS: usize = (1 << 20) / READ_BYTES + 1;

#[derive(Debug)]
struct Stream {
    /// `None` once the stream has ended.
    fd: Option<OwnedFd>,
    source: Source,
    /// Takes the secrets out before anything else sees them.
    masked: MaskedStream,
    lines: Lines,
    tail: Tail,
    /// The steps that it tells of.
    steps: Steps,
    /// The next piece begins a line.
    at_line_start: bool,
}

impl Stream {
    fn new(fd: Option<OwnedFd>, source: Source, steps: Steps, masks: Masks) -> Self {
        let fd = fd.filter(|fd| rustix::io::ioctl_fionbio(fd, true).is_ok());
        let (lines, tail) = (Lines::default(), Tail::default());
        let masked = MaskedStream::new(masks);
        Self { fd, source, masked, lines, tail, steps, at_line_start: true }
    }

    /// Reads once, without blocking; true if anything was there.
    fn read(&mut self, buffer: &mut [u8], log: &mut LogFile, count: &mut u64) -> bool {
        let Some(fd) = &self.fd else { return false };
        let got = match rustix::io::read(fd, &mut *buffer) {
            Ok(0) => 0,
            Ok(got) => got,
            Err(Errno::AGAIN | Errno::INTR) => return false,
            Err(_) => 0,
        };
        if got == 0 {
            self.fd = None;
            return false;
        }
        if self.masked.is_plain() {
            self.take(&buffer[..got], log, count);
        } else {
            let mut clean = Vec::with_capacity(got);
            self.masked.push(&buffer[..got], &mut clean);
            self.take(&clean, log, count);
        }
        true
    }

    /// Takes what may be kept.
    fn take(&mut self, chunk: &[u8], log: &mut LogFile, count: &mut u64) {
        let (at, source) = (now(), self.source);
        self.tail.push(chunk);
        let Self { lines, steps, at_line_start, .. } = self;
        lines.push(chunk, &mut |piece| {
            *count += u64::from(piece.ends_line);
            if std::mem::replace(at_line_start, piece.ends_line) {
                steps.line(piece.bytes);
            }
            log.output(&at, source, piece.bytes, !piece.ends_line);
        });
    }

    fn finish(&mut self, log: &mut LogFile, count: &mut u64) {
        let mut held = Vec::new();
        self.masked.finish(&mut held);
        self.take(&held, log, count);
        let (at, source) = (now(), self.source);
        self.lines.finish(&mut |piece| {
            *count += 1;
            log.output(&at, source, piece.bytes, false);
        });
    }
}

/// What the run prints.
#[derive(Debug)]
pub(super) struct Output {
    stdout: Stream,
    stderr: Stream,
    buffer: Vec<u8>,
    /// Where everything is written.
    pub(super) log: LogFile,
    /// Lines seen, kept or not.
    pub(super) lines: u64,
}

impl Output {
    /// Takes the child's pipes over.
    pub(super) fn new(child: &mut Child, log: LogFile, steps: Steps, masks: Masks) -> Self {
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        Self {
            stdout: Stream::new(stdout, Source::Stdout, steps, masks.clone()),
            stderr: Stream::new(stderr, Source::Stderr, Steps::default(), masks),
            buffer: vec![0; READ_BYTES],
            log,
            lines: 0,
        }
    }

    /// The streams that are still open, to be polled.
    pub(super) fn open_streams(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        [&self.stdout, &self.stderr].into_iter().filter_map(|s| s.fd.as_ref().map(AsFd::as_fd))
    }

    /// Reads once from each stream, without blocking; true if anything was there.
    pub(super) fn read(&mut self) -> bool {
        let Self { stdout, stderr, buffer, log, lines } = self;
        let out = stdout.read(buffer, log, lines);
        let err = stderr.read(buffer, log, lines);
        log.flush();
        out || err
    }

    /// Reads what is left once the tree is dead, and ends unfinished lines.
    pub(super) fn drain(&mut self) {
        for _ in 0..DRAIN_READS {
            if !self.read() {
                break;
            }
        }
        self.stdout.finish(&mut self.log, &mut self.lines);
        self.stderr.finish(&mut self.log, &mut self.lines);
        self.log.flush();
    }

    /// The limit of steps that was passed; `None` where none was.
    pub(super) fn looping(&self) -> Option<ExitCause> {
        self.stdout.steps.over()
    }

    /// The tails of both streams: standard output, standard error.
    pub(super) fn tails(&self) -> (String, String) {
        (self.stdout.tail.text(), self.stderr.tail.text())
    }
}
