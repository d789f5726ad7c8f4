//! Deterministic runners in place of LLM agents (S7): a configured command, run in the task's
//! worktree under the same supervisor, whose result becomes the same artifact that an agent would
//! have written, before the same gate.

mod artifact;
mod last_count;
pub mod probe;
mod smoke;
mod transcript;

use std::collections::BTreeMap;

use orch_core::ids::{AgentName, Revision};
use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::pipeline::StageSpec;
use orch_core::process::RunExit;
use orch_core::stage::{DEPLOY_FINALIZER, STAGE_TRANSITIONS, STAGING_RUNNER, TEST_RUNNER};
use orch_core::suite::fewer_tests;

pub use artifact::{SuiteEnd, artifact};
pub use last_count::last_count;
pub use smoke::smoke;
pub use transcript::{ReadSuite, read_suite};

use crate::engine::Engine;
use crate::repo_config::{RepoConfig, SuiteConfig};
use crate::run::launch::Work;
use crate::run::prepare::Workplace;
use crate::run::{Halt, Owned};

/// The runners that work by a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunnerKind {
    /// Runs the repository's tests.
    Test,
    /// Runs the staging suite.
    Staging,
    /// Runs the deploy command for what has landed.
    Deploy,
}

impl RunnerKind {
    /// The runner of that reserved name.
    pub fn by_name(name: &AgentName) -> Option<Self> {
        match name.as_str() {
            TEST_RUNNER => Some(Self::Test),
            STAGING_RUNNER => Some(Self::Staging),
            DEPLOY_FINALIZER => Some(Self::Deploy),
            _ => None,
        }
    }

    /// The artifact it writes.
    pub fn artifact(self) -> &'static str {
        match self {
            Self::Test => "13-test-report.md",
            Self::Staging => "15-staging-log.md",
            Self::Deploy => "16-deploy-log.md",
        }
    }

    /// The front matter field that carries its verdict, and its words for good and bad.
    fn verdict_field(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Test => ("result", "PASS", "FAIL"),
            Self::Staging => ("staging_status", "SUCCESS", "FAILED"),
            Self::Deploy => ("deploy_status", "SUCCESS", "FAILED"),
        }
    }

    /// The section of `orch.toml` that sets it up.
    pub fn section(self) -> &'static str {
        match self {
            Self::Test => "test_runner",
            Self::Staging => "staging_runner",
            Self::Deploy => "deploy",
        }
    }
}

/// The artifacts of a standard stage, as the table has them.
pub fn artifact_names(stage: &StageSpec) -> &'static [&'static str] {
    STAGE_TRANSITIONS
        .iter()
        .filter_map(|row| row.work)
        .find(|work| work.gate == stage.gate)
        .map_or(&[], |work| work.artifacts)
}

/// What is started for a runner's job.
pub fn work(
    engine: &Engine,
    owned: &Owned,
    kind: RunnerKind,
    config: &RepoConfig,
    place: &Workplace,
) -> Result<Work, Halt> {
    work_on(engine, owned, kind, config, &place.base)
}

/// The same for a revision.
pub fn work_on(
    engine: &Engine,
    owned: &Owned,
    kind: RunnerKind,
    config: &RepoConfig,
    base: &Revision,
) -> Result<Work, Halt> {
    let suite = suite(kind, config)?;
    stays_here(kind, config)?;
    let mut env = engine.allowed_env(&[]);
    env.extend(facts(owned, base));
    Ok(Work { argv: suite.command.argv(), env, stdin: None, timeout: suite.timeout, stall: None })
}

/// A suite that is meant for another machine must not pass on this one.
fn stays_here(kind: RunnerKind, config: &RepoConfig) -> Result<(), Halt> {
    match &config.settings.staging_runner.ssh_target {
        Some(target) if kind == RunnerKind::Staging => Err(Halt::environment(format!(
            "[staging_runner] ssh_target is {target}, and running over ssh is not part of this version; \
             take it out and let the command reach the host itself"
        ))),
        _ => Ok(()),
    }
}

/// What a runner's command may want to know.
fn facts(owned: &Owned, base: &Revision) -> BTreeMap<String, String> {
    let revision = owned.task.progress.merged.as_ref().unwrap_or(base);
    [
        ("ORCH_TASK", owned.task.key.to_string()),
        ("ORCH_STAGE", owned.job.stage.to_string()),
        ("ORCH_AGENT", owned.job.agent.to_string()),
        ("ORCH_ATTEMPT", owned.attempt.to_string()),
        ("ORCH_RUN_ID", owned.owner.run_id.to_string()),
        ("ORCH_REVISION", revision.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

fn suite(kind: RunnerKind, config: &RepoConfig) -> Result<SuiteConfig, Halt> {
    config.suite(kind).ok_or_else(|| {
        let section = kind.section();
        Halt::environment(format!("[{section}] command is not set any more; set it in orch.toml"))
    })
}

/// What the end of a runner's command means. `last` gives the last known count of tests, and is asked only where a suite passed.
pub fn outcome(
    kind: RunnerKind,
    config: &RepoConfig,
    exit: &RunExit,
    suite: &ReadSuite,
    last: impl FnOnce() -> Option<u64>,
) -> Outcome {
    let outcome = classify(Worked::Suite(&suite.report), exit);
    let tolerated = config.suite(kind).map_or(100, |suite| suite.fewer_tests_percent);
    let counts = suite.report.counts.filter(|_| suite.whole && tolerated < 100);
    let (Outcome::SuiteRan { exit_code: 0 }, Some(counts)) = (&outcome, counts) else {
        return outcome;
    };
    match fewer_tests(counts.executed(), last(), tolerated) {
        Some(fewer) => Outcome::PermanentEnv {
            reason: format!(
                "{fewer}: a pass of so few proves too little; where tests were taken out on \
                 purpose, set [{}] fewer_tests_percent and retry",
                kind.section()
            ),
        },
        None => outcome,
    }
}
