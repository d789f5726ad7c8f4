//! The keys of `[deploy]`.

use crate::settings::key::{Key, Scope, Section};
use crate::settings::kind::Kind;
use crate::settings::rules;

pub(super) static KIND: Key = Key {
    section: "deploy",
    name: "kind",
    env: "ORCH_DEPLOY_KIND",
    kind: Kind::Choice(&["command", "self"]),
    default: "command",
    doc: "What is deployed: command is whatever `command` deploys; self is this very service, from its own repository, in place of `command`",
};
pub(super) static BUILD: Key = Key {
    section: "deploy",
    name: "build",
    env: "ORCH_DEPLOY_BUILD",
    kind: Kind::Text { form: "a shell command", rule: rules::text },
    default: "cargo build --release --locked -p orch",
    doc: "With kind = \"self\": builds the program from the landed revision",
};
pub(super) static PROGRAM: Key = Key {
    section: "deploy",
    name: "program",
    env: "ORCH_DEPLOY_PROGRAM",
    kind: Kind::Text { form: "a path", rule: rules::path },
    default: "target/release/orch",
    doc: "With kind = \"self\": the program that the build makes",
};
pub(super) static COMMAND: Key = Key {
    section: "deploy",
    name: "command",
    env: "ORCH_DEPLOY_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "The deploy; unset means that the repository only merges",
};
pub(super) static SSH_TARGET: Key = Key {
    section: "deploy",
    name: "ssh_target",
    env: "ORCH_DEPLOY_SSH_TARGET",
    kind: Kind::Text { form: "an ssh target", rule: rules::ssh_target },
    default: "",
    doc: "The host that every command of the deploy runs on, such as deploy@www.example; unset means this machine, as does kind = \"self\"",
};
pub(super) static SSH_SEND_TREE: Key = Key {
    section: "deploy",
    name: "ssh_send_tree",
    env: "ORCH_DEPLOY_SSH_SEND_TREE",
    kind: Kind::Flag,
    default: "true",
    doc: "Send the files of the landed revision to ssh_target; off, commands start in the home there, as revision_command always does",
};
pub(super) static TARGET: Key = Key {
    section: "deploy",
    name: "target",
    env: "ORCH_DEPLOY_TARGET",
    kind: Kind::Text { form: "a name", rule: rules::text },
    default: "",
    doc: "What is deployed to, where several repositories deploy to one place; unset means the repository's own name",
};
pub(super) static DRAIN: Key = Key {
    section: "deploy",
    name: "drain",
    env: "ORCH_DEPLOY_DRAIN",
    kind: Kind::Command,
    default: "",
    doc: "Runs before the deploy and ends when the service has finished what it was at",
};
pub(super) static DRAIN_TIMEOUT: Key = Key {
    section: "deploy",
    name: "drain_timeout",
    env: "ORCH_DEPLOY_DRAIN_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "30s",
    doc: "How long the drain may take; then the deploy goes on",
};
pub(super) static HEALTH_URL: Key = Key {
    section: "deploy",
    name: "health_url",
    env: "ORCH_DEPLOY_HEALTH_URL",
    kind: Kind::URL,
    default: "",
    doc: "What has to answer 2xx after a deploy",
};
pub(super) static HEALTH_EXPECT: Key = Key {
    section: "deploy",
    name: "health_expect",
    env: "ORCH_DEPLOY_HEALTH_EXPECT",
    kind: Kind::List { form: "what fields of the answer say", rule: rules::expectation },
    default: "",
    doc: "What the JSON of health_url has to say as well: FIELD=VALUE, FIELD!=VALUE or FIELD exists",
};
pub(super) static HEALTH_INTERVAL: Key = Key {
    section: "deploy",
    name: "health_interval",
    env: "ORCH_DEPLOY_HEALTH_INTERVAL",
    kind: Kind::Duration { min_ms: 10, max_ms: 3_600_000, or_off: false },
    default: "1s",
    doc: "Time from one look after a deploy to the next",
};
pub(super) static HEALTH_TIMEOUT: Key = Key {
    section: "deploy",
    name: "health_timeout",
    env: "ORCH_DEPLOY_HEALTH_TIMEOUT",
    kind: Kind::Duration { min_ms: 10, max_ms: 3_600_000, or_off: false },
    default: "5s",
    doc: "How long one look may take",
};
pub(super) static HEALTH_WITHIN: Key = Key {
    section: "deploy",
    name: "health_within",
    env: "ORCH_DEPLOY_HEALTH_WITHIN",
    kind: Kind::Duration { min_ms: 100, max_ms: 86_400_000, or_off: false },
    default: "30s",
    doc: "How long it is looked for health and freshness in all",
};
pub(super) static HEALTH_PASSES: Key = Key {
    section: "deploy",
    name: "health_passes",
    env: "ORCH_DEPLOY_HEALTH_PASSES",
    kind: Kind::Count { min: 1, max: 1_000 },
    default: "3",
    doc: "Good looks in a row that settle it",
};
pub(super) static REVISION_URL: Key = Key {
    section: "deploy",
    name: "revision_url",
    env: "ORCH_DEPLOY_REVISION_URL",
    kind: Kind::URL,
    default: "",
    doc: "What has to name the merged revision after a deploy",
};
pub(super) static REVISION_FIELD: Key = Key {
    section: "deploy",
    name: "revision_field",
    env: "ORCH_DEPLOY_REVISION_FIELD",
    kind: Kind::Text { form: "a JSON pointer", rule: rules::json_pointer },
    default: "",
    doc: "Where in the JSON of revision_url, or of revision_command, the revision stands; unset means that the answer is text",
};
pub(super) static REVISION_COMMAND: Key = Key {
    section: "deploy",
    name: "revision_command",
    env: "ORCH_DEPLOY_REVISION_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "Prints the revision that runs, in place of revision_url; such as docker inspect of an image's label",
};
pub(super) static ROLLBACK_COMMAND: Key = Key {
    section: "deploy",
    name: "rollback_command",
    env: "ORCH_DEPLOY_ROLLBACK_COMMAND",
    kind: Kind::Command,
    default: "",
    doc: "The way back after a bad deploy, to ORCH_PREVIOUS_REVISION",
};
pub(super) static ROLLBACK_CHECK: Key = Key {
    section: "deploy",
    name: "rollback_check",
    env: "ORCH_DEPLOY_ROLLBACK_CHECK",
    kind: Kind::Command,
    default: "",
    doc: "Proves with exit 0, before a deploy, that the way back to ORCH_PREVIOUS_REVISION is there",
};
pub(super) static REQUIRE_ROLLBACK: Key = Key {
    section: "deploy",
    name: "require_rollback",
    env: "ORCH_DEPLOY_REQUIRE_ROLLBACK",
    kind: Kind::Flag,
    default: "false",
    doc: "Deploy nothing without a proven way back",
};
pub(super) static MONITOR: Key = Key {
    section: "deploy",
    name: "monitor",
    env: "ORCH_DEPLOY_MONITOR",
    kind: Kind::Duration { min_ms: 100, max_ms: 604_800_000, or_off: true },
    default: "10m",
    doc: "How long the deployed revision is watched; 0 means not at all",
};
pub(super) static MONITOR_INTERVAL: Key = Key {
    section: "deploy",
    name: "monitor_interval",
    env: "ORCH_DEPLOY_MONITOR_INTERVAL",
    kind: Kind::Duration { min_ms: 50, max_ms: 3_600_000, or_off: false },
    default: "10s",
    doc: "Time from one look of the monitor to the next",
};
pub(super) static MONITOR_FAILURES: Key = Key {
    section: "deploy",
    name: "monitor_failures",
    env: "ORCH_DEPLOY_MONITOR_FAILURES",
    kind: Kind::Count { min: 1, max: 1_000 },
    default: "3",
    doc: "Faults in a row at which the monitor takes the revision back",
};
pub(super) static MONITOR_FAILURE_PERCENT: Key = Key {
    section: "deploy",
    name: "monitor_failure_percent",
    env: "ORCH_DEPLOY_MONITOR_FAILURE_PERCENT",
    kind: Kind::Count { min: 1, max: 100 },
    default: "50",
    doc: "Per cent of at least ten looks at which the monitor takes the revision back",
};
pub(super) static TIMEOUT: Key = Key {
    section: "deploy",
    name: "timeout",
    env: "ORCH_DEPLOY_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "30m",
    doc: "How long the deploy, and the way back, may take",
};

/// `[deploy]`.
pub(in crate::settings) static SECTION: Section = Section {
    name: "deploy",
    instance: None,
    scope: Scope::Repository,
    doc: "What happens after the merge",
    keys: &[
        &KIND,
        &BUILD,
        &PROGRAM,
        &COMMAND,
        &SSH_TARGET,
        &SSH_SEND_TREE,
        &TARGET,
        &DRAIN,
        &DRAIN_TIMEOUT,
        &HEALTH_URL,
        &HEALTH_EXPECT,
        &HEALTH_INTERVAL,
        &HEALTH_TIMEOUT,
        &HEALTH_WITHIN,
        &HEALTH_PASSES,
        &REVISION_URL,
        &REVISION_FIELD,
        &REVISION_COMMAND,
        &ROLLBACK_COMMAND,
        &ROLLBACK_CHECK,
        &REQUIRE_ROLLBACK,
        &MONITOR,
        &MONITOR_INTERVAL,
        &MONITOR_FAILURES,
        &MONITOR_FAILURE_PERCENT,
        &TIMEOUT,
    ],
};
