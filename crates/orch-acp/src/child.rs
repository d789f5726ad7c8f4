//! The agent's process and the lines to and from it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::{Sink, SinkExt as _, Stream};

/// The longest message of an agent: a longer one is a broken agent, not a message.
const MAX_LINE: u64 = 32 << 20;
/// An agent whose standard input is closed has so long to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(20);

/// An agent at work; ended with the value.
pub(crate) struct Agent(Child);

/// The two ends of the connection.
pub(crate) struct Pipes {
    to: UnboundedSender<String>,
    from: UnboundedReceiver<io::Result<String>>,
}

impl Agent {
    /// Starts the program here and with our environment; what it says on standard error goes to ours.
    pub(crate) fn start(argv: &[String]) -> io::Result<(Self, Pipes)> {
        let (program, args) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        Ok((Self(child), Pipes { to: writer(stdin), from: reader(stdout) }))
    }

    /// Waits for the agent, whose standard input is closed by now, and kills it in the end.
    pub(crate) fn end(mut self) {
        let deadline = Instant::now() + GRACE;
        while Instant::now() < deadline {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Pipes {
    /// As the protocol's crate wants them.
    pub(crate) fn split(
        self,
    ) -> (
        impl Sink<String, Error = io::Error> + Send + 'static,
        impl Stream<Item = io::Result<String>> + Send + 'static,
    ) {
        (self.to.sink_map_err(io::Error::other), self.from)
    }
}

/// Writes lines until nobody sends any more; then the agent's standard input is closed.
fn writer(mut stdin: ChildStdin) -> UnboundedSender<String> {
    let (sender, receiver) = unbounded::<String>();
    thread::spawn(move || {
        for line in futures::executor::block_on_stream(receiver) {
            let line = line + "\n";
            if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
                break;
            }
        }
    });
    sender
}

fn reader(stdout: ChildStdout) -> UnboundedReceiver<io::Result<String>> {
    let (sender, receiver) = unbounded();
    thread::spawn(move || {
        let mut stdout = BufReader::new(stdout);
        while let Some(line) = next_line(&mut stdout).transpose() {
            let failed = line.is_err();
            if sender.unbounded_send(line).is_err() || failed {
                break;
            }
        }
    });
    receiver
}

/// The next line that is not empty; `None` at the end.
fn next_line(stdout: &mut BufReader<ChildStdout>) -> io::Result<Option<String>> {
    loop {
        let mut line = Vec::new();
        let read = stdout.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') && read as u64 == MAX_LINE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
        }
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        if !text.is_empty() {
            return Ok(Some(text));
        }
    }
}
