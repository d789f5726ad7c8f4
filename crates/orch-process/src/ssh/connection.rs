//! One connection: an ssh process, what it says, and how it ends.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use orch_core::remote::{Fault, FaultKind, diagnose};

use super::client::{Client, Share};
use super::protocol::{Garbled, Parser, Said};
use super::script::{Task, script};
use crate::supervise::restore_defaults;

/// One connection that runs our script.
#[derive(Debug)]
pub(super) struct Connection {
    child: Child,
    stdin: Option<ChildStdin>,
    said: Receiver<Result<Said, Garbled>>,
    stderr: File,
    greeted: bool,
}

/// What was heard.
#[derive(Debug)]
pub(super) enum Heard {
    /// The far side said something.
    Said(Said),
    /// Nothing for the time given.
    Nothing,
    /// The connection is over.
    Over,
}

/// Things said that wait to be taken; ssh is held back beyond that.
const WAITING: usize = 64;
/// What is read of ssh's own words.
const WORDS: u64 = 64 * 1024;

impl Connection {
    /// Starts ssh with our script.
    pub(super) fn open(client: &Client, share: Share, task: &Task<'_>) -> Result<Self, Fault> {
        let token = token().map_err(|error| Fault::new(FaultKind::Other, error.to_string()))?;
        let script = script(&token, task);
        let failed = |error: io::Error| Fault::new(FaultKind::Other, error.to_string());
        let stderr = tempfile().map_err(failed)?;
        let mut child = start(client, share, &script.command, &stderr)?;
        let mut stdin = child.stdin.take();
        let mut stdout = child.stdout.take();
        let (send, said) = mpsc::sync_channel(WAITING);
        thread::spawn(move || {
            let mut parser = Parser::new(&token);
            let mut bytes = vec![0; 64 * 1024];
            while let Some(Ok(read @ 1..)) = stdout.as_mut().map(|out| out.read(&mut bytes)) {
                let said = match parser.push(&bytes[..read]) {
                    Ok(said) => said.into_iter().map(Ok).collect(),
                    Err(garbled) => vec![Err(garbled)],
                };
                for said in said {
                    if send.send(said).is_err() {
                        return;
                    }
                }
            }
        });
        // A pipe holds more than the script, so this does not wait for the far side; where ssh has
        // ended already its own words say why.
        if let Some(stdin) = &mut stdin {
            let _ = stdin.write_all(&script.input);
        }
        Ok(Self { child, stdin, said, stderr, greeted: false })
    }

    /// Waits at most so long for something to be said.
    pub(super) fn hear(&mut self, at_most: Duration) -> Heard {
        match self.said.recv_timeout(at_most) {
            Ok(Ok(said)) => {
                self.greeted = true;
                Heard::Said(said)
            }
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Ok(Err(Garbled)) | Err(RecvTimeoutError::Disconnected) => Heard::Over,
        }
    }

    /// Sends a file after the script, and then nothing more.
    pub(super) fn upload(&mut self, path: &Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        let Some(mut stdin) = self.stdin.take() else { return Ok(()) };
        // A far side that ends meanwhile is noticed by what it says, or does not say.
        thread::spawn(move || io::copy(&mut file, &mut stdin));
        Ok(())
    }

    /// Ends the connection and says why it came to its end.
    pub(super) fn close(mut self) -> Fault {
        drop(self.stdin.take());
        let patience = Instant::now() + Duration::from_secs(1);
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < patience => {
                    thread::sleep(Duration::from_millis(5));
                }
                Ok(None) | Err(_) => break None,
            }
        };
        self.end();
        self.fault(status)
    }

    /// Ends ssh, if it has not ended.
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn fault(&mut self, status: Option<ExitStatus>) -> Fault {
        let words = self.words();
        let code = status.and_then(|status| status.code());
        match (code, self.greeted) {
            (Some(255), greeted) => {
                let fault = diagnose(&words);
                let lost = greeted && fault.kind == FaultKind::Other;
                if lost { Fault::new(FaultKind::Dropped, fault.said) } else { fault }
            }
            (Some(_), false) => Fault::new(FaultKind::NoShell, words),
            (Some(_), true) => Fault::new(FaultKind::NoFrame, words),
            (None, false) => Fault::new(FaultKind::ConnectTimeout, words),
            (None, true) => Fault::new(FaultKind::Dropped, words),
        }
    }

    fn words(&mut self) -> String {
        let mut bytes = Vec::new();
        let _ = io::Seek::rewind(&mut self.stderr);
        let _ = (&mut self.stderr).take(WORDS).read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.end();
    }
}

/// ssh's own words go to a file: a shared connection that it leaves open would hold a pipe.
#[expect(unsafe_code, reason = "a hook between fork and exec has no safe form")]
fn start(client: &Client, share: Share, command: &str, stderr: &File) -> Result<Child, Fault> {
    let failed = |error: io::Error| {
        let kind = match error.kind() {
            io::ErrorKind::NotFound => FaultKind::NoSsh,
            _ => FaultKind::Other,
        };
        Fault::new(kind, format!("ssh: {error}"))
    };
    let mut ssh = Command::new("ssh");
    ssh.args(client.arguments(share, command))
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| passes(name)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr.try_clone().map_err(failed)?);
    // SAFETY: the hook makes only async-signal-safe calls and allocates nothing.
    unsafe {
        ssh.pre_exec(restore_defaults);
    }
    ssh.spawn().map_err(failed)
}

/// Asks the process of the shared connection for something that takes it a moment.
pub(super) fn retire(arguments: &[std::ffi::OsString]) {
    let asked = Command::new("ssh")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut asked) = asked else { return };
    let until = Instant::now() + RETIRE;
    while Instant::now() < until && matches!(asked.try_wait(), Ok(None)) {
        thread::sleep(Duration::from_millis(5));
    }
    // One that is stopped does not answer; a new connection is made beside it.
    let _ = asked.kill();
    let _ = asked.wait();
}

/// The longest that the process of the shared connection is waited for.
const RETIRE: Duration = Duration::from_secs(2);

/// What ssh may see of the environment: a configuration that sends variables along must not find
/// the service's secrets among them.
fn passes(name: &std::ffi::OsStr) -> bool {
    const NAMES: &[&str] = &[
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "TZ",
        "TMPDIR",
        "SSH_AUTH_SOCK",
        "XDG_RUNTIME_DIR",
        "KRB5CCNAME",
    ];
    name.to_str().is_some_and(|name| NAMES.contains(&name) || name.starts_with("LC_"))
}

/// A file without a name.
fn tempfile() -> io::Result<File> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    Ok(rustix::fs::memfd_create("ssh-words", flags)?.into())
}

/// What marks the lines of one connection.
fn token() -> io::Result<String> {
    Ok(super::order::nonce()?.expose().to_owned())
}
