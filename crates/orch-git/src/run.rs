//! Runs one child process to its end or to its deadline, and reads all that it prints without
//! either side ever waiting for the other. Nothing here knows git.

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How much of stderr is kept: its end, where errors stand.
const STDERR_KEPT: usize = 16 * 1024;
/// How often a child is looked at whose pipes are still open. Only a grandchild that outlives
/// the child and holds them (an ssh connection master) makes this matter.
const LOOK: Duration = Duration::from_millis(50);
/// How long the remaining output of an ended child may take to arrive.
const DRAIN: Duration = Duration::from_secs(5);
/// Time between asking and forcing: git removes its lock files when asked.
const GRACE: Duration = Duration::from_secs(2);

/// What a child left.
pub(crate) struct Finished {
    /// `None`: ended by a signal.
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    /// More was printed than the limit; `stdout` holds the beginning.
    pub overflow: bool,
    pub stderr: Vec<u8>,
    pub timed_out: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    overflow: bool,
}

type Shared = Arc<Mutex<Kept>>;

/// Runs the command in its own process group with `input` on its stdin.
pub(crate) fn run(
    command: &mut Command,
    input: Vec<u8>,
    stdout_limit: usize,
    limit: Duration,
) -> io::Result<Finished> {
    let deadline = Instant::now() + limit;
    command.stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() });
    let mut child =
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A child that does not read to the end closes the pipe: its own exit tells why.
        thread::spawn(move || drop(stdin.write_all(&input)));
    }
    let (done, ended) = channel();
    let out = collect(child.stdout.take(), Stream::Out, stdout_limit, done.clone());
    let err = collect(child.stderr.take(), Stream::Err, STDERR_KEPT, done);
    let (status, timed_out) = match wait(&mut child, &ended, deadline)? {
        Some(status) => (status, false),
        None => (end(&mut child)?, true),
    };
    let (out, err) = (take(&out), take(&err));
    Ok(Finished {
        code: status.code(),
        stdout: out.bytes,
        overflow: out.overflow,
        stderr: err.bytes,
        timed_out,
    })
}

/// Waits for the exit; `None` at the deadline.
fn wait(
    child: &mut Child,
    ended: &Receiver<Stream>,
    deadline: Instant,
) -> io::Result<Option<ExitStatus>> {
    let mut open = vec![Stream::Out, Stream::Err];
    while !open.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        match ended.recv_timeout(left.min(LOOK)) {
            Ok(stream) => open.retain(|other| *other != stream),
            Err(RecvTimeoutError::Disconnected) => open.clear(),
            Err(RecvTimeoutError::Timeout) => {
                if let Some(status) = child.try_wait()? {
                    drain(&mut open, ended)?;
                    return Ok(Some(status));
                }
                if left.is_zero() {
                    return Ok(None);
                }
            }
        }
    }
    exit_by(child, deadline)
}

/// After the exit: stdout has to be complete, stderr may stay open in a grandchild's hands.
fn drain(open: &mut Vec<Stream>, ended: &Receiver<Stream>) -> io::Result<()> {
    while open.contains(&Stream::Out) {
        let stream = ended.recv_timeout(DRAIN).map_err(|_| {
            io::Error::new(io::ErrorKind::TimedOut, "its output stayed open after it ended")
        })?;
        open.retain(|other| *other != stream);
    }
    Ok(())
}

/// A child that closed its pipes is about to exit; asks often at first, then less.
fn exit_by(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Ends the child's whole group: asked first, then forced. The child is reaped last, so that
/// its id can't have passed to another process before.
fn end(child: &mut Child) -> io::Result<ExitStatus> {
    let group = Pid::from_child(child);
    // A group that is gone already needs no signal.
    let _ = kill_process_group(group, Signal::TERM);
    let forced_at = Instant::now() + GRACE;
    let looking = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    while Instant::now() < forced_at && waitid(WaitId::Pid(group), looking)?.is_none() {
        thread::sleep(Duration::from_millis(5));
    }
    let _ = kill_process_group(group, Signal::KILL);
    child.wait()
}

fn collect(
    source: Option<impl Read + Send + 'static>,
    stream: Stream,
    limit: usize,
    done: Sender<Stream>,
) -> Shared {
    let kept = Shared::default();
    let into = Arc::clone(&kept);
    thread::spawn(move || {
        if let Some(mut source) = source {
            let mut chunk = vec![0; 32 * 1024];
            loop {
                match source.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(n) => keep(&into, &chunk[..n], stream, limit),
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
        }
        // Nobody listens any more once the child has ended otherwise.
        let _ = done.send(stream);
    });
    kept
}

/// Keeps the beginning of stdout and the end of stderr; reads on past the limit so that the
/// child never blocks.
fn keep(into: &Shared, chunk: &[u8], stream: Stream, limit: usize) {
    let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
    let room = limit.saturating_sub(kept.bytes.len());
    match stream {
        Stream::Out => {
            kept.overflow |= chunk.len() > room;
            kept.bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Stream::Err => {
            kept.bytes.extend_from_slice(chunk);
            let excess = kept.bytes.len().saturating_sub(limit);
            kept.bytes.drain(..excess);
        }
    }
}

fn take(kept: &Shared) -> Kept {
    std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8], stdout_limit: usize, limit: Duration) -> Finished {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(&mut command, input.to_vec(), stdout_limit, limit).unwrap()
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn large_input_and_output_do_not_block_each_other() {
        let input = vec![b'x'; 3_000_000];
        let done = sh("tee /dev/stderr", &input, 10_000_000, LONG);
        assert_eq!((done.code, done.stdout.len(), done.overflow), (Some(0), 3_000_000, false));
        assert_eq!(done.stderr.len(), STDERR_KEPT);
    }

    #[test]
    fn output_beyond_the_limit_is_dropped_and_said() {
        let done = sh("head -c 300000 /dev/zero; echo end >&2; exit 3", b"", 1000, LONG);
        assert_eq!((done.code, done.stdout.len(), done.overflow), (Some(3), 1000, true));
        assert_eq!(done.stderr, b"end\n");
    }

    #[test]
    fn a_child_that_reads_nothing_is_no_error() {
        let done = sh("exit 7", &vec![b'x'; 1_000_000], 10, LONG);
        assert_eq!(done.code, Some(7));
    }

    #[test]
    fn the_deadline_ends_the_whole_group() {
        // The grandchild holds stdout and ignores the polite signal; only a group kill ends it.
        let script = "trap '' TERM; (trap '' TERM; while :; do sleep 1; done) & echo $!; wait";
        let done = sh(script, b"", 100, Duration::from_millis(300));
        assert!(done.timed_out);
        let pid: i32 = String::from_utf8(done.stdout).unwrap().trim().parse().unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        let alive = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.is_ok_and(|s| !s.contains(") Z "))
        };
        while alive() {
            assert!(Instant::now() < deadline, "the grandchild survived");
            thread::yield_now();
        }
    }

    #[test]
    fn a_grandchild_that_keeps_stderr_open_does_not_delay_the_end() {
        let done = sh("sleep 600 >/dev/null & echo $!", b"", 100, LONG);
        assert!(!done.timed_out);
        let pid: i32 = String::from_utf8(done.stdout).unwrap().trim().parse().unwrap();
        rustix::process::kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    }
}
