//! `[staging_runner]`: the deterministic producer of the stage `deploy-staging` (S7).

use std::time::Duration;

use super::command::CommandLine;
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::mode::{self, Mode};
use super::reader::Reader;
use super::rules;
use super::test_runner::repo_names;
use crate::ids::RepoName;
use crate::remote::SshTarget;

/// How a repository's staging suite is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagingRunner {
    /// The kill-switch; off, the agent `deployer` does the stage.
    pub enabled: bool,
    /// Who decides the stage, while the kill-switch is on.
    pub mode: Mode,
    /// The repositories it works for; empty means all.
    pub repos: Vec<RepoName>,
    /// The suite; `None` where the repository has none configured.
    pub command: Option<CommandLine>,
    /// Whether the suite runs on the host rather than in the service's own container.
    pub exec_host_side: bool,
    /// The host to reach over ssh; `None` means this machine.
    pub ssh_target: Option<SshTarget>,
    /// Whether the task's revision is sent to that host, for the suite to start in.
    pub ssh_send_tree: bool,
    /// How long the suite may take.
    pub timeout: Duration,
    /// Patterns of lines that only the suite prints; empty where its runner is a known one.
    pub marks: Vec<String>,
    /// How many per cent fewer tests than the last time still count.
    pub fewer_tests_percent: u32,
    /// Defers of this stage before a hold; `None` means `[budgets] infra`.
    pub infra_retries: Option<u32>,
}

static ENABLED: Key = Key {
    section: "staging_runner",
    name: "enabled",
    env: "ORCH_STAGING_RUNNER_ENABLED",
    kind: Kind::Flag,
    default: "true",
    doc: "Kill-switch: off gives the stage deploy-staging to the agent deployer",
};
static MODE: Key = Key {
    section: "staging_runner",
    name: "mode",
    env: "ORCH_STAGING_RUNNER_MODE",
    kind: mode::MODES,
    default: "deterministic",
    doc: "Who works the stage: the runner; the runner, with the agent deployer to explain failures (hybrid); both, compared (shadow); or the agent (llm)",
};
static SHADOW_DECIDES: Key = Key {
    section: "staging_runner",
    name: "shadow_decides",
    env: "ORCH_STAGING_RUNNER_SHADOW_DECIDES",
    kind: mode::DECIDERS,
    default: "deterministic",
    doc: "Whose verdict counts in mode shadow",
};
static REPOS: Key = Key {
    section: "staging_runner",
    name: "repos",
    env: "ORCH_STAGING_RUNNER_REPOS",
    kind: Kind::List { form: "repository names", rule: rules::repo_name },
    default: "",
    doc: "Repositories the runner works for; unset means all",
};
static COMMAND: Key = Key {
    section: "staging_runner",
    name: "command",
    env: "ORCH_STAGING_RUNNER_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "The staging suite; a string runs under sh -c, an array is argv",
};
static EXEC_HOST_SIDE: Key = Key {
    section: "staging_runner",
    name: "exec_host_side",
    env: "ORCH_STAGING_RUNNER_EXEC_HOST_SIDE",
    kind: Kind::Flag,
    default: "true",
    doc: "Run the suite on the host, over ssh where ssh_target is set",
};
static SSH_TARGET: Key = Key {
    section: "staging_runner",
    name: "ssh_target",
    env: "ORCH_STAGING_RUNNER_SSH_TARGET",
    kind: Kind::Text { form: "an ssh target", rule: rules::ssh_target },
    default: "",
    doc: "The host, such as deploy@staging.example; unset means this machine",
};
static SSH_SEND_TREE: Key = Key {
    section: "staging_runner",
    name: "ssh_send_tree",
    env: "ORCH_STAGING_RUNNER_SSH_SEND_TREE",
    kind: Kind::Flag,
    default: "true",
    doc: "Send the files of the revision to ssh_target; off, the suite starts in the home there",
};
static TIMEOUT: Key = Key {
    section: "staging_runner",
    name: "timeout",
    env: "ORCH_STAGING_RUNNER_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "30m",
    doc: "How long the suite may take",
};
static MARKS: Key = Key {
    section: "staging_runner",
    name: "marks",
    env: "ORCH_STAGING_RUNNER_MARKS",
    kind: Kind::List { form: "regular expressions", rule: rules::pattern },
    default: "",
    doc: "Lines that only the suite prints, for a runner that is not known; groups passed, failed, skipped and test are read",
};
static FEWER_TESTS_PERCENT: Key = Key {
    section: "staging_runner",
    name: "fewer_tests_percent",
    env: "ORCH_STAGING_RUNNER_FEWER_TESTS_PERCENT",
    kind: Kind::Count { min: 0, max: 100 },
    default: "5",
    doc: "How many per cent fewer tests than the last time still count; 100 does not look",
};
static INFRA_RETRIES: Key = Key {
    section: "staging_runner",
    name: "infra_retries",
    env: "ORCH_STAGING_RUNNER_INFRA_RETRIES",
    kind: Kind::Count { min: 0, max: 100 },
    default: "",
    doc: "Defers of the stage before a hold; unset means budgets.infra",
};

/// `[staging_runner]`.
pub(super) static SECTION: Section = Section {
    name: "staging_runner",
    instance: None,
    scope: Scope::Repository,
    doc: "The deterministic producer of the stage deploy-staging",
    keys: &[
        &ENABLED,
        &MODE,
        &SHADOW_DECIDES,
        &REPOS,
        &COMMAND,
        &EXEC_HOST_SIDE,
        &SSH_TARGET,
        &SSH_SEND_TREE,
        &TIMEOUT,
        &MARKS,
        &FEWER_TESTS_PERCENT,
        &INFRA_RETRIES,
    ],
};

pub(super) fn read(reader: &mut Reader<'_>) -> StagingRunner {
    StagingRunner {
        enabled: reader.flag(&ENABLED),
        mode: mode::read(reader, &MODE, &SHADOW_DECIDES),
        repos: repo_names(reader.list(&REPOS)),
        command: reader.command(&COMMAND),
        exec_host_side: reader.flag(&EXEC_HOST_SIDE),
        ssh_target: reader.text(&SSH_TARGET).and_then(|text| SshTarget::new(&text).ok()),
        ssh_send_tree: reader.flag(&SSH_SEND_TREE),
        timeout: reader.duration(&TIMEOUT),
        marks: reader.list(&MARKS),
        fewer_tests_percent: reader.count(&FEWER_TESTS_PERCENT),
        infra_retries: reader.count_if_set(&INFRA_RETRIES),
    }
}

impl StagingRunner {
    /// The host that the suite runs on; `None` means this machine.
    pub fn host(&self) -> Option<&SshTarget> {
        self.ssh_target.as_ref().filter(|_| self.exec_host_side)
    }

    /// Whether the runner, rather than the agent, does the stage for this repository.
    pub fn covers(&self, repo: &RepoName) -> bool {
        self.is_for(repo) && self.mode.runner_decides()
    }

    /// Whether the runner is switched on for this repository, whoever decides.
    pub fn is_for(&self, repo: &RepoName) -> bool {
        self.enabled && (self.repos.is_empty() || self.repos.contains(repo))
    }
}
