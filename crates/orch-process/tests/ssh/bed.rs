//! Runs over ssh, each under a supervisor, as the engine starts them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use orch_core::ids::{Revision, RunId};
use orch_core::process::RunExit;
use orch_core::redact::Masks;
use orch_core::remote::{FaultKind, Frame, RemoteEnd, SshTarget};
use orch_core::settings::Ssh;
use orch_process::ssh::{Client, Order, nonce};
use orch_process::{Observation, RunDir, RunSpec, launch, request_stop, wait_exit};
use orch_testkit::{Sshd, until};

/// The program around supervisor and remote runner.
const PROGRAM: &str = env!("CARGO_BIN_EXE_supervisor-fixture");
/// A limit that only a hanging test reaches.
const PATIENCE: Duration = Duration::from_mins(1);

/// A far side and a folder for what is kept here.
pub struct Bed {
    pub sshd: Sshd,
    pub root: tempfile::TempDir,
}

/// One run, not started yet.
pub struct Run {
    pub order: Order,
    pub dir: RunDir,
    timeout: Duration,
    cwd: PathBuf,
}

/// How a run ended.
pub struct Done {
    pub exit: RunExit,
    pub end: Option<RemoteEnd>,
    pub dir: RunDir,
}

impl Bed {
    pub fn new() -> Self {
        Self::on(Sshd::start())
    }

    pub fn on(sshd: Sshd) -> Self {
        Self { sshd, root: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub fn client_at(&self, target: &str) -> Client {
        let settings = Ssh {
            config: Some(self.sshd.config().display().to_string()),
            connect_timeout: Duration::from_secs(5),
            keep_alive: Duration::from_secs(1),
            reattach: Duration::ZERO,
        };
        let room = self.path("ssh");
        std::fs::create_dir_all(&room).unwrap();
        Client::new(&SshTarget::new(target).unwrap(), &settings, &room)
    }

    pub fn client(&self) -> Client {
        self.client_at(&self.sshd.target())
    }

    /// A run of this shell script on the far side.
    pub fn run(&self, script: &str) -> Run {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let run_id = RunId::from_parts(std::process::id().into(), number);
        let order = Order {
            run_id: run_id.clone(),
            nonce: nonce().unwrap(),
            client: self.client(),
            argv: ["sh", "-c", script].map(str::to_owned).into(),
            env: BTreeMap::from([("ORCH_TASK".into(), "it's X-1".into())]),
            revision: Some(Revision::new("0123456789012345678901234567890123456789").unwrap()),
            tree: None,
            limit_s: 60,
            reattach_ms: 30_000,
            earlier: Vec::new(),
        };
        let dir = RunDir::new(self.path("runs").join(run_id.as_str()));
        Run { order, dir, timeout: PATIENCE, cwd: self.root.path().to_owned() }
    }

    /// What of a run is left on the far side: its processes, and its folder.
    pub fn left_of(&self, run_id: &RunId) -> (Vec<u32>, bool) {
        (marked(run_id), self.sshd.runs().join(run_id.as_str()).exists())
    }
}

impl Run {
    pub fn through(mut self, client: Client) -> Self {
        self.order.client = client;
        self
    }

    pub fn with(mut self, change: impl FnOnce(&mut Order)) -> Self {
        change(&mut self.order);
        self
    }

    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends these files along.
    pub fn sending(mut self, files: &[(&str, &str)]) -> Self {
        let tree = self.cwd.join(format!("tree-{}", self.order.run_id));
        for (name, text) in files {
            let path = tree.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let tar = tree.with_extension("tar");
        let made = Command::new("tar").arg("-cf").arg(&tar).arg("-C").arg(&tree).arg(".").status();
        assert!(made.unwrap().success());
        self.order.tree = Some(tar);
        self
    }

    /// Goes on from what an earlier run of the same work left.
    pub fn after(mut self, earlier: &[&Run]) -> Self {
        self.order.earlier =
            earlier.iter().map(|run| self.order.earlier(&run.order.run_id, &run.dir)).collect();
        self
    }

    pub fn id(&self) -> RunId {
        self.order.run_id.clone()
    }

    pub fn start(&self) {
        self.order.write(&self.dir).unwrap();
        let spec = RunSpec {
            run_id: self.order.run_id.clone(),
            argv: Order::argv(Path::new(PROGRAM), &self.dir),
            cwd: self.cwd.clone(),
            env: BTreeMap::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]),
            stdin: None,
            timeout: self.timeout,
            stall: None,
            polite: Vec::new(),
            steps: Vec::new(),
            grace: Duration::from_secs(15),
            disk: None,
            log_limit: 100 << 20,
        };
        launch(Path::new(PROGRAM), &self.dir, &spec, &Masks::default()).unwrap();
    }

    pub fn wait(&self) -> Done {
        let until = std::time::Instant::now() + PATIENCE * 2;
        let seen = wait_exit(&self.dir, &|| std::time::Instant::now() > until);
        let Observation::Exited(exit) = seen else { panic!("the run did not end: {seen:?}") };
        Done { exit, end: Order::end(&self.dir), dir: self.dir.clone() }
    }

    pub fn done(&self) -> Done {
        self.start();
        self.wait()
    }

    pub fn stop(&self) {
        request_stop(&self.dir).unwrap();
    }

    /// Waits for a line of the run's output.
    pub fn has_said(&self, line: &str) {
        until(line, || {
            orch_process::log::lines(&self.dir).any(|l| l.text.contains(line)).then_some(())
        });
    }
}

impl Done {
    pub fn frame(&self) -> &Frame {
        match &self.end {
            Some(RemoteEnd::Framed(frame)) => frame,
            other => panic!("no frame: {other:?}\n{}", self.told()),
        }
    }

    pub fn fault(&self) -> FaultKind {
        match &self.end {
            Some(RemoteEnd::Faulty(fault)) => fault.kind,
            other => panic!("no fault: {other:?}\n{}", self.told()),
        }
    }

    pub fn told(&self) -> String {
        let lines = orch_process::log::lines(&self.dir);
        lines.map(|line| line.stream + ": " + &line.text + "\n").collect()
    }

    pub fn stdout(&self) -> String {
        let lines = orch_process::log::lines(&self.dir).filter(|line| line.stream == "stdout");
        lines.map(|line| line.text + "\n").collect()
    }
}

/// The processes of a run on the far side, which is this machine: those with either of its marks.
pub fn marked(run_id: &RunId) -> Vec<u32> {
    let marks = ["ORCH_REMOTE_RUN", "ORCH_REMOTE_HOLD"].map(|name| format!("{name}={run_id}."));
    let carries = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|v| marks.iter().any(|mark| v == mark.as_bytes()))
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(carries).collect()
}
