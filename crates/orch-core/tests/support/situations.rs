//! The recorded situations of `tests/outcomes`.

use std::fs;
use std::path::Path;

use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::{ExitCause, RunExit};
use orch_core::suite::{SuiteReport, read};
use serde::Deserialize;

#[derive(Deserialize)]
struct Situations {
    situation: Vec<Situation>,
}

/// What happened, and what it is to be taken for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    pub name: String,
    pub exit: Option<i32>,
    pub signal: Option<i32>,
    pub ended: Option<String>,
    pub output: Option<String>,
    #[serde(default)]
    pub stdout: String,
    #[serde(default)]
    pub stderr: String,
    pub class: String,
    /// Where the fault lies in truth: `code`, `infrastructure`, `nothing_ran` or `none`.
    pub fault: String,
    pub counts: Option<[u64; 3]>,
    #[serde(default)]
    pub failing: Vec<String>,
    pub source: String,
    pub why: String,
}

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

pub fn situations() -> Vec<Situation> {
    let mut files: Vec<_> =
        fs::read_dir(folder("outcomes")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        toml::from_str::<Situations>(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    files.iter().flat_map(|path| read(path).situation).collect()
}

impl Situation {
    pub fn exit(&self) -> RunExit {
        let recorded = |end: &str| {
            let name = self.output.as_ref()?;
            fs::read_to_string(folder("suites").join(format!("{name}.{end}"))).ok()
        };
        let cause = match (self.exit, self.signal, self.ended.as_deref()) {
            (Some(code), None, None) => ExitCause::Exited { code },
            (None, Some(signal), None) => ExitCause::Signaled { signal },
            (None, None, Some("timed_out")) => ExitCause::TimedOut { limit_ms: 1000 },
            (None, None, Some("stalled")) => ExitCause::Stalled { limit_ms: 1000 },
            (None, None, Some("cancelled")) => ExitCause::Cancelled,
            (None, None, Some("missing")) => ExitCause::SpawnFailed {
                message: "No such file or directory".into(),
                missing: true,
            },
            (None, None, Some("not_started")) => ExitCause::SpawnFailed {
                message: "Resource temporarily unavailable".into(),
                missing: false,
            },
            other => panic!("{}: no end: {other:?}", self.name),
        };
        let at = "2026-01-02T03:04:05Z".parse().unwrap();
        RunExit {
            cause,
            started_at: at,
            finished_at: at,
            stdout_tail: recorded("out").unwrap_or_else(|| self.stdout.clone()),
            stderr_tail: recorded("err").unwrap_or_else(|| self.stderr.clone()),
            lines: 0,
            survivors_killed: 0,
        }
    }

    pub fn report(&self) -> SuiteReport {
        let exit = self.exit();
        read(&exit.stdout_tail, &exit.stderr_tail, &[])
    }

    pub fn outcome(&self) -> Outcome {
        classify(Worked::Suite(&self.report()), &self.exit())
    }
}
