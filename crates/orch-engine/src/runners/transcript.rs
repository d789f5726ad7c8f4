//! What a suite printed, read for its marks: the whole log where there is one, else the ends that
//! the supervisor kept.

use orch_core::process::RunExit;
use orch_core::suite::{SuiteReport, read};
use orch_process::RunDir;

use super::RunnerKind;
use crate::engine::Engine;
use crate::repo_config::RepoConfig;
use crate::run::Owned;

/// Output read for marks; a longer one is read at its ends only.
const MAX_READ: usize = 16 * 1024 * 1024;

/// A suite's marks, and how much of its output they were read from.
#[derive(Debug, Default)]
pub struct ReadSuite {
    /// What its output says.
    pub report: SuiteReport,
    /// True where all of the output was read, so that its counts are complete.
    pub whole: bool,
}

/// Reads what a runner's command printed; of a deploy nothing is read.
pub fn read_suite(
    engine: &Engine,
    kind: RunnerKind,
    config: &RepoConfig,
    owned: &Owned,
    exit: &RunExit,
) -> ReadSuite {
    let Some(suite) = config.suite(kind).filter(|_| kind != RunnerKind::Deploy) else {
        return ReadSuite::default();
    };
    match whole(engine, owned, exit) {
        Some((stdout, stderr)) => {
            ReadSuite { report: read(&stdout, &stderr, &suite.marks), whole: true }
        }
        None => ReadSuite {
            report: read(&exit.stdout_tail, &exit.stderr_tail, &suite.marks),
            whole: false,
        },
    }
}

/// Standard output and error from the run's log; `None` where the log lacks lines or is too long.
fn whole(engine: &Engine, owned: &Owned, exit: &RunExit) -> Option<(String, String)> {
    let dir = RunDir::new(engine.home.run(&owned.owner.run_id));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    let mut lines = 0;
    for line in orch_process::log::lines(&dir) {
        let text = match line.stream.as_str() {
            "stdout" => &mut stdout,
            "stderr" => &mut stderr,
            _ => continue,
        };
        lines += 1;
        text.push_str(&line.text);
        text.push('\n');
        if stdout.len() + stderr.len() > MAX_READ {
            return None;
        }
    }
    (lines >= exit.lines).then_some((stdout, stderr))
}
