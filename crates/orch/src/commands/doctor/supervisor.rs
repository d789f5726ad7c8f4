//! Whether a supervised run works here: really runs `true` under a supervisor.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use orch_core::ids::RunId;
use orch_core::process::ExitCause;
use orch_core::redact::Masks;
use orch_process::{Observation, RunDir, RunSpec};

use super::Check;
use crate::env::Env;

const NAME: &str = "supervisor";
/// Longer than any machine needs for a process that does nothing.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs `true` and looks how it ended.
pub fn check(env: &Env) -> Check {
    let run_id = RunId::from_parts(jiff::Timestamp::now().as_millisecond(), fastrand::u64(..));
    let home = match crate::local::home(env) {
        Ok(home) => home,
        Err(error) => return Check::fail(NAME, format!("{error:#}"), "mend the state directory"),
    };
    // Not among the service's runs, where its reconciler would wonder about it.
    let dir = home.path().join(format!("doctor-{run_id}"));
    let check = attempt(env, &run_id, &dir);
    // Left behind it would only take a little space.
    let _ = fs::remove_dir_all(&dir);
    check
}

fn attempt(env: &Env, run_id: &RunId, dir: &Path) -> Check {
    let started = Instant::now();
    let program = match env.program() {
        Ok(program) => program,
        Err(error) => {
            return Check::fail(NAME, error.to_string(), "start orch by a path that exists");
        }
    };
    let spec = RunSpec {
        run_id: run_id.clone(),
        argv: vec!["true".to_owned()],
        cwd: "/".into(),
        env: BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]),
        stdin: None,
        timeout: PATIENCE,
        stall: None,
        polite: Vec::new(),
        steps: Vec::new(),
        grace: Duration::from_secs(1),
        disk: None,
        log_limit: 64 * 1024,
    };
    let run = RunDir::new(dir);
    if let Err(error) = orch_process::launch(&program, &run, &spec, &Masks::default()) {
        let error = anyhow::Error::from(error);
        return Check::fail(
            NAME,
            format!("{error:#}"),
            "see whether processes can be started here",
        );
    }
    let give_up = || started.elapsed() > PATIENCE;
    match orch_process::wait_exit(&run, &give_up) {
        Observation::Exited(exit) if exit.cause == ExitCause::Exited { code: 0 } => {
            Check::ok(NAME, format!("a supervised run took {} ms", started.elapsed().as_millis()))
        }
        other => Check::fail(
            NAME,
            format!("a run of `true` did not end well: {other:?}"),
            "see whether /proc is mounted and processes can be started",
        ),
    }
}
