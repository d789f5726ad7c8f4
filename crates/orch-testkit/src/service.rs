//! The real program in an environment of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::until;

/// The program with a state directory of its own.
#[derive(Debug, Clone)]
pub struct Orch {
    program: PathBuf,
    root: PathBuf,
    port: u16,
    settings: Vec<(String, String)>,
}

impl Orch {
    /// The program at `program`, with everything of its own under `root`.
    ///
    /// # Panics
    /// When no port is free.
    pub fn new(program: impl Into<PathBuf>, root: &Path) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self { program: program.into(), root: root.to_owned(), port, settings: Vec::new() }
    }

    /// Sets an environment variable for every call.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The state directory.
    pub fn home(&self) -> PathBuf {
        self.root.join("state")
    }

    /// Where the service answers.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The program, ready for arguments, started in `dir`.
    pub fn command(&self, dir: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(dir)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.root.join("home"))
            .env("LANG", "C.UTF-8")
            .env("ORCH_HOME", self.home())
            .env("ORCH_BIND", format!("127.0.0.1:{}", self.port))
            .env("ORCH_REAPER_INTERVAL", "200ms")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it can't be started.
    pub fn run(&self, dir: &Path, args: &[&str]) -> Output {
        self.command(dir).args(args).output().unwrap()
    }

    /// Runs the program, expects success and gives its standard output.
    ///
    /// # Panics
    /// When it fails.
    pub fn ok(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.run(dir, args);
        let stderr = String::from_utf8_lossy(&output.stderr);
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "orch {args:?}: {:?}\n{stdout}\n{stderr}",
            output.status.code()
        );
        stdout
    }

    /// The same, its output read as JSON.
    ///
    /// # Panics
    /// When it fails or prints something else.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&self.root, args);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("orch {args:?}: {error}\n{text}"))
    }

    /// Starts the service; its log goes to `root/serve.log`.
    ///
    /// # Panics
    /// When it does not answer within two minutes.
    pub fn serve(&self) -> Served<'_> {
        self.serve_with(&[])
    }

    /// Starts the service with further arguments.
    ///
    /// # Panics
    /// When it does not answer within two minutes.
    pub fn serve_with(&self, args: &[&str]) -> Served<'_> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.root.join("serve.log"))
            .unwrap();
        let child = self
            .command(&self.root)
            .arg("serve")
            .args(args)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut served = Served { orch: self, child };
        until("the service to answer", || served.answers().then_some(()));
        served
    }
}

/// A running service; ended with the value.
#[derive(Debug)]
pub struct Served<'a> {
    orch: &'a Orch,
    child: Child,
}

impl Served<'_> {
    fn answers(&mut self) -> bool {
        if let Some(status) = self.child.try_wait().unwrap() {
            let log = std::fs::read_to_string(self.orch.root.join("serve.log")).unwrap_or_default();
            panic!("the service ended at its start: {status}\n{log}");
        }
        self.orch.run(&self.orch.root, &["status", "--json"]).status.success()
    }

    /// The service's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself, or was killed by somebody.
    ///
    /// # Panics
    /// When the system can't say.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end; gives how long that took.
    ///
    /// # Panics
    /// When it ends with a failure.
    pub fn stop(mut self) -> std::time::Duration {
        let begun = std::time::Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "the service ended with {status}");
        begun.elapsed()
    }

    fn end(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Served<'_> {
    fn drop(&mut self) {
        self.end();
    }
}
