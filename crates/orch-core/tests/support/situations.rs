//! The recorded situations of `tests/outcomes`.

use std::fs;
use std::path::Path;

use orch_core::ids::RunId;
use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::process::{ExitCause, RunExit};
use orch_core::remote::{Ended, Fault, FaultKind, Frame, RemoteEnd, SshTarget, diagnose};
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
    /// How it ended on another machine; absent for this one.
    pub remote: Option<Remote>,
    pub counts: Option<[u64; 3]>,
    #[serde(default)]
    pub failing: Vec<String>,
    pub source: String,
    pub why: String,
}

/// What came back from another machine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The exit code in the result frame.
    frame: Option<i32>,
    /// What ended the run by that frame.
    #[serde(default)]
    ended: Far,
    /// What was wrong in place of a frame.
    fault: Option<FaultKind>,
    /// ssh's own words on standard error say what was wrong.
    #[serde(default)]
    words: bool,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Far {
    #[default]
    Exited,
    Limit,
    Stopped,
}

impl Remote {
    /// Whether the far side said its end.
    pub fn has_frame(&self) -> bool {
        self.frame.is_some()
    }

    fn end(&self, stderr: &str) -> RemoteEnd {
        match (self.frame, self.fault, self.words) {
            (Some(exit_code), None, false) => RemoteEnd::Framed(Frame {
                run_id: RunId::from_parts(1, 1),
                revision: None,
                ended: match self.ended {
                    Far::Exited => Ended::Exited,
                    Far::Limit => Ended::Limit,
                    Far::Stopped => Ended::Stopped,
                },
                exit_code,
                stdout_bytes: 0,
                stderr_bytes: 0,
                seconds: 0,
                survivors: 0,
            }),
            (None, Some(kind), false) => RemoteEnd::Faulty(Fault::new(kind, stderr)),
            (None, None, true) => RemoteEnd::Faulty(diagnose(stderr)),
            _ => panic!("a frame, a fault, or words"),
        }
    }
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
        self.outcome_of(self.exit())
    }

    /// What an exit is taken for that came about as this situation's did.
    pub fn outcome_of(&self, exit: RunExit) -> Outcome {
        let target = SshTarget::new("deploy@staging").unwrap();
        let stderr = self.exit().stderr_tail;
        let end = self.remote.as_ref().map(|remote| remote.end(&stderr));
        let exit = match end {
            None => exit,
            Some(end) => match RemoteEnd::resolve(Some(&end), &target, 5, exit) {
                Ok(exit) => exit,
                Err(outcome) => return outcome,
            },
        };
        let report = read(&exit.stdout_tail, &exit.stderr_tail, &[]);
        classify(Worked::Suite(&report), &exit)
    }
}
