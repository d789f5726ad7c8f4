//! A run in a directory of its own, cleaned up whatever the test did.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use orch_core::ids::RunId;
use orch_core::process::{ProcessIdentity, RunExit};
use orch_core::redact::Masks;
use orch_process::{
    Observation, RunDir, RunSpec, launch, marked_processes, request_stop, sweep, wait_exit,
};

/// The program around the supervisor.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_supervisor-fixture");
/// A limit that only a hanging test reaches.
pub const PATIENCE: Duration = Duration::from_mins(1);

pub struct Scene {
    base: tempfile::TempDir,
    pub dir: RunDir,
    pub spec: RunSpec,
}

impl Scene {
    pub fn new(argv: &[&str]) -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let run_id = RunId::from_parts(std::process::id().into(), number);
        let base = tempfile::tempdir().unwrap();
        let dir = RunDir::new(base.path().join("runs").join(run_id.as_str()));
        let spec = RunSpec {
            run_id,
            argv: argv.iter().map(|&a| a.to_owned()).collect(),
            cwd: base.path().to_owned(),
            env: BTreeMap::from([("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())]),
            stdin: None,
            timeout: PATIENCE,
            stall: None,
            polite: vec![],
            steps: vec![],
            grace: Duration::from_millis(300),
            disk: None,
            log_limit: 100 << 20,
        };
        Self { base, dir, spec }
    }

    pub fn shell(script: &str) -> Self {
        Self::new(&["sh", "-c", script])
    }

    /// One of the fixture's own children.
    pub fn fixture(arguments: &[&str]) -> Self {
        Self::new(&[&[PROGRAM], arguments].concat())
    }

    pub fn with(mut self, change: impl FnOnce(&mut RunSpec)) -> Self {
        change(&mut self.spec);
        self
    }

    /// The directory in which the child works.
    pub fn work(&self) -> &Path {
        self.base.path()
    }

    pub fn launch(&self) -> ProcessIdentity {
        launch(Path::new(PROGRAM), &self.dir, &self.spec, &Masks::default()).unwrap()
    }

    pub fn wait(&self) -> Observation {
        let give_up_at = Instant::now() + PATIENCE;
        wait_exit(&self.dir, &|| Instant::now() > give_up_at)
    }

    /// Launches, waits for the end, and checks that no process is left.
    pub fn run(&self) -> RunExit {
        self.launch();
        self.exit()
    }

    pub fn exit(&self) -> RunExit {
        match self.wait() {
            Observation::Exited(exit) => {
                assert_eq!(marked_processes(&self.spec.run_id), [], "processes are left");
                exit
            }
            other => panic!("the run did not end: {other:?}"),
        }
    }

    /// The log's lines as (stream, text).
    pub fn log(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(self.dir.log()).unwrap();
        let parse = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line).unwrap();
            let field = |name: &str| value[name].as_str().unwrap().to_owned();
            assert!(field("at").parse::<jiff::Timestamp>().is_ok());
            (field("stream"), field("text"))
        };
        text.lines().map(parse).collect()
    }

    /// Waits for the child to print something with this text in it.
    pub fn until_printed(&self, text: &str) {
        until(|| std::fs::read_to_string(self.dir.log()).is_ok_and(|log| log.contains(text)));
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if matches!(
            orch_process::observe(&self.dir),
            Observation::Running(_) | Observation::Starting
        ) {
            let _ = request_stop(&self.dir);
            self.wait();
        }
        sweep(&self.spec.run_id);
    }
}

/// What a supervisor hears from a launcher that knows of no secrets.
pub fn nothing_to_mask(folder: &Path) -> std::fs::File {
    let file = folder.join("nothing-to-mask");
    std::fs::write(&file, "[]").unwrap();
    std::fs::File::open(file).unwrap()
}

/// Polls a condition until it holds.
pub fn until(mut condition: impl FnMut() -> bool) {
    let give_up_at = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < give_up_at, "waited in vain");
        std::thread::sleep(Duration::from_millis(2));
    }
}
