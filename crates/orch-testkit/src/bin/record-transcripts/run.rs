//! A program at work: its lines in the order they came, and its end.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use orch_testkit::agent_clis::AgentCli;
use serde_json::{Value, json};

/// Lines that are kept of a run: some programs repeat themselves for ever.
const MAX_LINES: usize = 200;

/// A command line and its environment, which has nothing of ours.
pub(crate) struct Invocation(Command);

impl Invocation {
    pub(crate) fn new(cli: &AgentCli, home: &Path) -> Self {
        // Beside the home: Codex makes no helpers in a home within the temporary folder, and
        // without them its sandbox runs nothing.
        let temporary = home.with_file_name("tmp");
        std::fs::create_dir_all(&temporary).expect("a new folder can be written to");
        let mut command = Command::new(&cli.program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LANG", "C.UTF-8")
            .env("HOME", home)
            .env("TMPDIR", &temporary);
        Self(command)
    }

    /// Arguments, separated by spaces.
    pub(crate) fn args(mut self, args: &str) -> Self {
        self.0.args(args.split_whitespace());
        self
    }

    /// An argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.0.arg(arg);
        self
    }

    /// A variable.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    fn start(&self, dir: &Path) -> Child {
        let mut command = Command::new(self.0.get_program());
        command.args(self.0.get_args()).env_clear();
        command.envs(self.0.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(Stdio::piped()).spawn().expect("the program is installed")
    }
}

/// What a program told.
pub(crate) struct Told {
    /// The exit code or signal; null where it had to be killed.
    pub(crate) exit: Value,
    /// Its lines, `{"out": …}` or `{"err": …}`.
    pub(crate) lines: Vec<Value>,
}

/// Runs the program to its end or its limit.
pub(crate) fn run(invocation: &Invocation, prompt: &str, dir: &Path, limit: Duration) -> Told {
    let mut child = invocation.start(dir);
    let mut stdin = child.stdin.take().expect("it is piped");
    // It may have ended without reading.
    let _ = stdin.write_all(prompt.as_bytes());
    drop(stdin);
    let (sender, lines) = channel();
    read("out", child.stdout.take().expect("it is piped"), sender.clone());
    read("err", child.stderr.take().expect("it is piped"), sender);
    let lines = collect(&lines, Instant::now() + limit);
    let exit = match child.try_wait().expect("it is our child") {
        Some(status) => status.code().map_or_else(|| json!(status.to_string()), |code| json!(code)),
        None => ended(&mut child),
    };
    Told { exit, lines }
}

/// Its outputs are closed or its time is over.
fn ended(child: &mut Child) -> Value {
    let grace = Instant::now() + Duration::from_secs(2);
    while Instant::now() < grace {
        if let Ok(Some(status)) = child.try_wait() {
            return json!(status.code());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let _ = child.kill();
    let _ = child.wait();
    Value::Null
}

fn read(name: &'static str, stream: impl Read + Send + 'static, to: Sender<Value>) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if to.send(json!({name: line})).is_err() {
                break;
            }
        }
    });
}

fn collect(lines: &Receiver<Value>, deadline: Instant) -> Vec<Value> {
    let mut kept = Vec::new();
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) if kept.len() < MAX_LINES => kept.push(line),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return kept,
        }
    }
}
