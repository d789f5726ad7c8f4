//! A prefix with stand-in versions, and a launcher over it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use orch_core::ids::{Revision, VersionName};
use orch_core::switch::Limits;
use orch_launcher::{
    Config, LauncherError, Prefix, Request, Switch, SwitchResult, Version, ask, outcome, stage,
};
use orch_testkit::until;

const PROGRAM: &str = env!("CARGO_BIN_EXE_service-fixture");

pub struct Bed {
    pub root: tempfile::TempDir,
    pub prefix: Prefix,
}

/// A launcher on a thread; told to end with the value.
pub struct Running {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<Result<(), LauncherError>>>,
}

impl Bed {
    /// With the healthy version `a`, which is current.
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("state")).unwrap();
        let prefix = Prefix::open(&root.path().join("prefix")).unwrap();
        let bed = Self { root, prefix };
        bed.install('a', "");
        bed.prefix.point_current(&name('a')).unwrap();
        bed
    }

    pub fn home(&self) -> PathBuf {
        self.root.path().join("state")
    }

    /// Installs a version that behaves as the lines say.
    pub fn install(&self, digit: char, behaviour: &str) {
        let staged = stage(&self.prefix, Path::new(PROGRAM)).unwrap();
        let revision = Some(Revision::new(digit.to_string().repeat(40)).unwrap());
        let says = "orch 0.1.0".to_owned();
        let version = Version { name: name(digit), revision, says, installed_at: Timestamp::now() };
        staged.install(version).unwrap();
        self.behave(digit, behaviour);
    }

    /// Changes how a version behaves when it is started next.
    pub fn behave(&self, digit: char, behaviour: &str) {
        let text = if behaviour.contains("revision=") {
            format!("{behaviour}\n")
        } else {
            format!("revision={}\n{behaviour}\n", digit.to_string().repeat(40))
        };
        std::fs::write(self.prefix.version_dir(&name(digit)).join("behaviour"), text).unwrap();
    }

    pub fn config(&self, healthy_within: Duration) -> Config {
        let limits = Limits { healthy_within, stop_within: Duration::from_millis(500) };
        Config {
            prefix: self.prefix.clone(),
            home: self.home(),
            limits,
            keep: 5,
            token: None,
            args: vec![],
        }
    }

    pub fn launch(&self) -> Running {
        self.launch_with(Duration::from_secs(20))
    }

    /// The launcher's environment is the test's own: the state directory is told by a wrapper.
    pub fn launch_with(&self, healthy_within: Duration) -> Running {
        let config = self.config(healthy_within);
        let (told, stop) = mpsc::channel();
        let thread = std::thread::spawn(move || orch_launcher::run(&config, &stop));
        Running { stop: Some(told), thread: Some(thread) }
    }

    /// A launcher that is a process and can be killed.
    pub fn launcher_process(&self) -> Child {
        Command::new(PROGRAM)
            .arg("launcher")
            .arg(self.prefix.path())
            .arg(self.home())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    pub fn ask(&self, id: &str, digit: char) {
        let request = Request { id: id.to_owned(), to: name(digit) };
        ask(&self.prefix, &request, false).unwrap();
    }

    pub fn ended(&self, id: &str) -> SwitchResult {
        until("the end of the switch", || outcome(&self.prefix, id).unwrap().map(result))
    }

    /// Asks for a version and waits for the end.
    pub fn switch(&self, id: &str, digit: char) -> SwitchResult {
        self.ask(id, digit);
        self.ended(id)
    }

    /// What services and versions noted.
    pub fn notes(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.home().join("notes")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits until a version serves for the nth time.
    pub fn serves(&self, digit: char, times: usize) {
        let line = format!("serving {}", digit.to_string().repeat(40));
        until("the version to serve", || {
            let notes = self.notes();
            (notes.iter().filter(|note| **note == line).count() >= times).then_some(())
        });
    }

    /// The process that serves now.
    pub fn service(&self) -> u32 {
        until("a service", || {
            std::fs::read_to_string(self.home().join("orch.lock")).ok()?.trim().parse().ok()
        })
    }
}

fn result(switch: Switch) -> SwitchResult {
    switch.result
}

pub fn name(digit: char) -> VersionName {
    VersionName::new(digit.to_string().repeat(40)).unwrap()
}

pub fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap().success());
}

impl Running {
    /// Tells it to end and waits.
    pub fn stop(mut self) -> Result<(), LauncherError> {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap()
    }

    /// Waits until it has ended by itself.
    pub fn ends(mut self) -> Result<(), LauncherError> {
        let _kept = self.stop.take();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A failed test has said what failed.
            drop(thread.join());
        }
    }
}
