//! What is started under a supervisor, and how.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use orch_core::ids::RunId;
use orch_core::process::{DiskLimit, Polite, StepWatch};
use orch_process::RunSpec;

/// From the polite signal to the last one.
pub const GRACE: Duration = Duration::from_secs(5);

/// What is started: a command line, its environment and its limits.
pub struct Work {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The complete environment.
    pub env: BTreeMap<String, String>,
    /// What it reads; `None` is nothing.
    pub stdin: Option<PathBuf>,
    /// The absolute limit.
    pub timeout: Duration,
    /// The longest silence.
    pub stall: Option<Duration>,
    /// From the polite signal to the last one.
    pub grace: Duration,
    /// The signals that ask it to end; empty is TERM.
    pub polite: Vec<Polite>,
    /// How its steps are counted.
    pub steps: Vec<StepWatch>,
}

impl Work {
    /// A command that is no agent: it reads nothing, may be silent, and takes no steps.
    pub fn command(argv: Vec<String>, env: BTreeMap<String, String>, timeout: Duration) -> Self {
        Self {
            argv,
            env,
            stdin: None,
            timeout,
            stall: None,
            grace: GRACE,
            polite: Vec::new(),
            steps: Vec::new(),
        }
    }

    /// What its supervisor is told; `log_limit` is in bytes.
    pub fn spec(
        self,
        run_id: RunId,
        cwd: PathBuf,
        disk: Option<DiskLimit>,
        log_limit: u64,
    ) -> RunSpec {
        RunSpec {
            run_id,
            argv: self.argv,
            cwd,
            env: self.env,
            stdin: self.stdin,
            timeout: self.timeout,
            stall: self.stall,
            polite: self.polite,
            steps: self.steps,
            grace: self.grace,
            disk,
            log_limit,
        }
    }
}
