//! Deterministic runners in place of LLM agents (S7): a configured command, run in the task's
//! worktree under the same supervisor, whose result becomes the same artifact that an agent would
//! have written, before the same gate.

mod artifact;
mod last_count;
pub mod probe;
mod smoke;
mod transcript;

use std::collections::BTreeMap;

use orch_core::breaker::Channel;
use orch_core::ids::{AgentName, Revision, RunId};
use orch_core::outcome::{Outcome, Worked, classify};
use orch_core::pipeline::StageSpec;
use orch_core::process::RunExit;
use orch_core::remote::SshTarget;
use orch_core::stage::{DEPLOY_FINALIZER, STAGE_TRANSITIONS, STAGING_RUNNER, TEST_RUNNER};
use orch_core::suite::{Counts, fewer_tests};
use orch_process::RunDir;

pub use artifact::{SuiteEnd, artifact};
pub use last_count::last_count;
pub use smoke::smoke;
pub use transcript::{ReadSuite, read_suite};

use crate::engine::Engine;
use crate::remote::{self, RemoteCommand};
use crate::repo_config::{RepoConfig, SuiteConfig};
use crate::run::prepare::Workplace;
use crate::run::work::Work;
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

    /// What its command goes through beside this machine; `None` where nothing is known of it.
    pub fn channel(self, config: &RepoConfig) -> Option<Channel> {
        config.host(self).map(|target| Channel::Ssh(target.to_string()))
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
    if let Some(target) = config.host(kind) {
        return elsewhere(engine, owned, config, base, target, &suite);
    }
    let mut env = engine.allowed_env(&[]);
    env.extend(facts(owned, base));
    Ok(Work::command(suite.command.argv(), env, suite.timeout))
}

/// A suite that is meant for another machine never runs on this one.
fn elsewhere(
    engine: &Engine,
    owned: &Owned,
    config: &RepoConfig,
    base: &Revision,
    target: &SshTarget,
    suite: &SuiteConfig,
) -> Result<Work, Halt> {
    let mirror = engine.mirror(&owned.repo)?;
    let mut env = facts(owned, base);
    env.insert("ORCH_BRANCH".to_owned(), owned.task.key.branch());
    let command = RemoteCommand {
        target,
        command: &suite.command,
        env,
        revision: Some(base),
        files: config.settings.staging_runner.ssh_send_tree.then_some(&mirror),
        timeout: suite.timeout,
        earlier: &earlier(engine, owned)?,
        task: &owned.task.key,
    };
    let run_id = &owned.owner.run_id;
    remote::order(engine, &RunDir::new(engine.home.run(run_id)), run_id, &command)
}

/// Earlier runs of the same stage, newest first: what is left of them on another machine is
/// attached to or ended.
fn earlier(engine: &Engine, owned: &Owned) -> Result<Vec<(RunId, RunDir)>, Halt> {
    let runs = engine.store.runs(owned.task.id)?.into_iter();
    let same = runs.filter(|run| run.stage == owned.job.stage && run.agent == owned.job.agent);
    let mut earlier: Vec<RunId> =
        same.map(|run| run.run_id).filter(|run| *run != owned.owner.run_id).collect();
    earlier.sort_unstable_by(|one, two| two.cmp(one));
    earlier.truncate(EARLIER);
    let placed = |run: RunId| (run.clone(), RunDir::new(engine.home.run(&run)));
    Ok(earlier.into_iter().map(placed).collect())
}

/// Earlier runs that are looked for on another machine.
const EARLIER: usize = 20;

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
    let passed = outcome == Outcome::SuiteRan { exit_code: 0 };
    if !passed || kind == RunnerKind::Deploy || !suite.whole || tolerated >= 100 {
        return outcome;
    }
    let now = suite.report.counts.map(Counts::executed);
    match fewer_tests(now, last(), tolerated) {
        Some(fewer) => Outcome::Unproven {
            reason: format!(
                "{fewer}: a pass of so few proves too little; where tests were taken out on \
                 purpose, set [{}] fewer_tests_percent and retry",
                kind.section()
            ),
        },
        None => outcome,
    }
}
