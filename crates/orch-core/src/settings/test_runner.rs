//! `[test_runner]`: the deterministic producer of the stage `testing` (S7).

use std::time::Duration;

use super::command::CommandLine;
use super::key::{Key, Scope, Section};
use super::kind::Kind;
use super::mode::{self, Mode};
use super::reader::Reader;
use super::rules;
use crate::ids::RepoName;
use crate::probe::Probe;

/// How a repository's tests are run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestRunner {
    /// The kill-switch; off, the agent `tester` does the stage.
    pub enabled: bool,
    /// Who decides the stage, while the kill-switch is on.
    pub mode: Mode,
    /// The repositories it works for; empty means all.
    pub repos: Vec<RepoName>,
    /// The suite; `None` where the repository has none configured.
    pub command: Option<CommandLine>,
    /// How long the suite may take.
    pub timeout: Duration,
    /// A running service to look at beside the suite; `None` for no smoke test.
    pub smoke_url: Option<String>,
    /// What is asked of it, in this order.
    pub smoke: Vec<Probe>,
    /// How long one of these questions may take.
    pub smoke_timeout: Duration,
    /// Patterns of lines that only the suite prints; empty where its runner is a known one.
    pub marks: Vec<String>,
    /// How many per cent fewer tests than the last time still count.
    pub fewer_tests_percent: u32,
    /// Defers of this stage before a hold; `None` means `[budgets] infra`.
    pub infra_retries: Option<u32>,
}

static ENABLED: Key = Key {
    section: "test_runner",
    name: "enabled",
    env: "ORCH_TEST_RUNNER_ENABLED",
    kind: Kind::Flag,
    default: "true",
    doc: "Kill-switch: off gives the stage testing to the agent tester",
};
static MODE: Key = Key {
    section: "test_runner",
    name: "mode",
    env: "ORCH_TEST_RUNNER_MODE",
    kind: mode::MODES,
    default: "deterministic",
    doc: "Who works the stage: the runner; the runner, with the agent tester to explain failures (hybrid); both, compared (shadow); or the agent (llm)",
};
static SHADOW_DECIDES: Key = Key {
    section: "test_runner",
    name: "shadow_decides",
    env: "ORCH_TEST_RUNNER_SHADOW_DECIDES",
    kind: mode::DECIDERS,
    default: "deterministic",
    doc: "Whose verdict counts in mode shadow",
};
static REPOS: Key = Key {
    section: "test_runner",
    name: "repos",
    env: "ORCH_TEST_RUNNER_REPOS",
    kind: Kind::List { form: "repository names", rule: rules::repo_name },
    default: "",
    doc: "Repositories the runner works for; unset means all",
};
static COMMAND: Key = Key {
    section: "test_runner",
    name: "command",
    env: "ORCH_TEST_RUNNER_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "The test suite; a string runs under sh -c, an array is argv",
};
static TIMEOUT: Key = Key {
    section: "test_runner",
    name: "timeout",
    env: "ORCH_TEST_RUNNER_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "20m",
    doc: "How long the suite may take",
};
static SMOKE_URL: Key = Key {
    section: "test_runner",
    name: "smoke_url",
    env: "ORCH_TEST_RUNNER_SMOKE_URL",
    kind: Kind::URL,
    default: "",
    doc: "Base URL of a running service for the read-only smoke test; unset means none",
};
static SMOKE: Key = Key {
    section: "test_runner",
    name: "smoke",
    env: "ORCH_TEST_RUNNER_SMOKE",
    kind: Kind::List { form: "paths with what their answers say", rule: rules::probe },
    default: "/health status=ok, /status version exists, /queue serial_gate.enabled exists",
    doc: "What the smoke test GETs, and what the JSON has to say: FIELD=VALUE, FIELD!=VALUE or FIELD exists",
};
static SMOKE_TIMEOUT: Key = Key {
    section: "test_runner",
    name: "smoke_timeout",
    env: "ORCH_TEST_RUNNER_SMOKE_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "5s",
    doc: "How long one question of the smoke test may take",
};
static MARKS: Key = Key {
    section: "test_runner",
    name: "marks",
    env: "ORCH_TEST_RUNNER_MARKS",
    kind: Kind::List { form: "regular expressions", rule: rules::pattern },
    default: "",
    doc: "Lines that only the suite prints, for a runner that is not known; groups passed, failed, skipped and test are read",
};
static FEWER_TESTS_PERCENT: Key = Key {
    section: "test_runner",
    name: "fewer_tests_percent",
    env: "ORCH_TEST_RUNNER_FEWER_TESTS_PERCENT",
    kind: Kind::Count { min: 0, max: 100 },
    default: "5",
    doc: "How many per cent fewer tests than the last time still count; 100 does not look",
};
static INFRA_RETRIES: Key = Key {
    section: "test_runner",
    name: "infra_retries",
    env: "ORCH_TEST_RUNNER_INFRA_RETRIES",
    kind: Kind::Count { min: 0, max: 100 },
    default: "",
    doc: "Defers of the stage before a hold; unset means budgets.infra",
};

/// `[test_runner]`.
pub(super) static SECTION: Section = Section {
    name: "test_runner",
    instance: None,
    scope: Scope::Repository,
    doc: "The deterministic producer of the stage testing",
    keys: &[
        &ENABLED,
        &MODE,
        &SHADOW_DECIDES,
        &REPOS,
        &COMMAND,
        &TIMEOUT,
        &SMOKE_URL,
        &SMOKE,
        &SMOKE_TIMEOUT,
        &MARKS,
        &FEWER_TESTS_PERCENT,
        &INFRA_RETRIES,
    ],
};

pub(super) fn read(reader: &mut Reader<'_>) -> TestRunner {
    TestRunner {
        enabled: reader.flag(&ENABLED),
        mode: mode::read(reader, &MODE, &SHADOW_DECIDES),
        repos: repo_names(reader.list(&REPOS)),
        command: reader.command(&COMMAND),
        timeout: reader.duration(&TIMEOUT),
        smoke_url: reader.text(&SMOKE_URL),
        smoke: reader.list(&SMOKE).iter().filter_map(|probe| probe.parse().ok()).collect(),
        smoke_timeout: reader.duration(&SMOKE_TIMEOUT),
        marks: reader.list(&MARKS),
        fewer_tests_percent: reader.count(&FEWER_TESTS_PERCENT),
        infra_retries: reader.count_if_set(&INFRA_RETRIES),
    }
}

pub(super) fn repo_names(names: Vec<String>) -> Vec<RepoName> {
    names.into_iter().filter_map(|name| RepoName::new(name).ok()).collect()
}

impl TestRunner {
    /// Whether the runner, rather than the agent, does the stage for this repository.
    pub fn covers(&self, repo: &RepoName) -> bool {
        self.is_for(repo) && self.mode.runner_decides()
    }

    /// Whether the runner is switched on for this repository, whoever decides.
    pub fn is_for(&self, repo: &RepoName) -> bool {
        self.enabled && (self.repos.is_empty() || self.repos.contains(repo))
    }
}
