//! The keys of `[agents.ROLE]`.

use crate::settings::key::{Key, Scope, Section};
use crate::settings::kind::Kind;
use crate::settings::rules;

pub(super) static ADAPTER: Key = Key {
    section: "agents",
    name: "adapter",
    env: "ORCH_AGENTS_*_ADAPTER",
    kind: Kind::Choice(&[
        "claude", "codex", "gemini", "opencode", "qwen", "acp", "command", "scripted",
    ]),
    default: "",
    doc: "The sort of program that works the role",
};
pub(super) static COMMAND: Key = Key {
    section: "agents",
    name: "command",
    env: "ORCH_AGENTS_*_COMMAND",
    kind: Kind::Argv,
    default: "",
    doc: "Its argument vector; for command and acp a must, for agent CLIs in place of their name",
};
pub(super) static SCRIPT: Key = Key {
    section: "agents",
    name: "script",
    env: "ORCH_AGENTS_*_SCRIPT",
    kind: Kind::Text { form: "a path inside the repository", rule: rules::inside },
    default: "",
    doc: "The script that the adapter scripted plays, inside the repository",
};
pub(super) static PROMPT: Key = Key {
    section: "agents",
    name: "prompt",
    env: "ORCH_AGENTS_*_PROMPT",
    kind: Kind::Text { form: "a path inside the repository", rule: rules::inside },
    default: "",
    doc: "A prompt template inside the repository, in place of the role's built-in one",
};
pub(super) static TIMEOUT: Key = Key {
    section: "agents",
    name: "timeout",
    env: "ORCH_AGENTS_*_TIMEOUT",
    kind: Kind::TIMEOUT,
    default: "30m",
    doc: "How long a run may take",
};
pub(super) static STALL: Key = Key {
    section: "agents",
    name: "stall",
    env: "ORCH_AGENTS_*_STALL",
    kind: Kind::Duration { min_ms: 100, max_ms: 604_800_000, or_off: true },
    default: "5m",
    doc: "How long a run may print nothing; 0 means for ever",
};
pub(super) static ENV: Key = Key {
    section: "agents",
    name: "env",
    env: "ORCH_AGENTS_*_ENV",
    kind: Kind::List { form: "names of environment variables", rule: rules::env_name },
    default: "",
    doc: "Environment variables passed on to it beside the usual ones",
};
pub(super) static ACCOUNT: Key = Key {
    section: "agents",
    name: "account",
    env: "ORCH_AGENTS_*_ACCOUNT",
    kind: Kind::Text { form: "a name", rule: rules::account },
    default: "",
    doc: "The provider account that pays, such as claude-main; a rate limit pauses all of its runs",
};
pub(super) static FALLBACK: Key = Key {
    section: "agents",
    name: "fallback",
    env: "ORCH_AGENTS_*_FALLBACK",
    kind: Kind::List { form: "names of [agents.NAME]", rule: rules::agent },
    default: "",
    doc: "Tables [agents.NAME] that take over in this order while its account is paused",
};
pub(super) static FALLBACK_ON: Key = Key {
    section: "agents",
    name: "fallback_on",
    env: "ORCH_AGENTS_*_FALLBACK_ON",
    kind: Kind::List { form: "auth_broken, overloaded", rule: rules::takeover },
    default: "auth_broken,overloaded",
    doc: "What lets the next of the chain take over beside a rate limit, which always does",
};
pub(super) static MAX_CONCURRENCY: Key = Key {
    section: "agents",
    name: "max_concurrency",
    env: "ORCH_AGENTS_*_MAX_CONCURRENCY",
    kind: Kind::Count { min: 1, max: 1000 },
    default: "",
    doc: "Runs of the role at once in the repository; unset means no limit",
};

pub(super) static MODEL: Key = Key {
    section: "agents",
    name: "model",
    env: "ORCH_AGENTS_*_MODEL",
    kind: Kind::Text { form: "the name of a model", rule: rules::text },
    default: "",
    doc: "The model, as the program calls it",
};
pub(super) static ARGS: Key = Key {
    section: "agents",
    name: "args",
    env: "ORCH_AGENTS_*_ARGS",
    kind: Kind::Argv,
    default: "",
    doc: "Arguments added to its command line",
};
pub(super) static RESUME: Key = Key {
    section: "agents",
    name: "resume",
    env: "ORCH_AGENTS_*_RESUME",
    kind: Kind::Flag,
    default: "true",
    doc: "Whether the next run of the role goes on in the session of the last one",
};
pub(super) static HOME: Key = Key {
    section: "agents",
    name: "home",
    env: "ORCH_AGENTS_*_HOME",
    kind: Kind::Choice(&["own", "user"]),
    default: "",
    doc: "A home of its own for each run, or the user's; agent CLIs have their own, programs the user's",
};
pub(super) static STEPS: Key = Key {
    section: "agents",
    name: "steps",
    env: "ORCH_AGENTS_*_STEPS",
    kind: Kind::Count { min: 0, max: 1_000_000 },
    default: "1000",
    doc: "Tools it may use in one run, where its stream tells them; 0 means any number",
};
pub(super) static REPEATS: Key = Key {
    section: "agents",
    name: "repeats",
    env: "ORCH_AGENTS_*_REPEATS",
    kind: Kind::Count { min: 0, max: 1_000_000 },
    default: "25",
    doc: "How often in a row it may use a tool for the very same; 0 means any number",
};

/// `[agents.ROLE]`.
pub(in crate::settings) static SECTION: Section = Section {
    name: "agents",
    instance: Some("ROLE"),
    scope: Scope::Repository,
    doc: "Which program works a role; [agents.default] is for every role without one of its own",
    keys: &[
        &ADAPTER,
        &COMMAND,
        &SCRIPT,
        &PROMPT,
        &TIMEOUT,
        &STALL,
        &ENV,
        &ACCOUNT,
        &FALLBACK,
        &FALLBACK_ON,
        &MAX_CONCURRENCY,
        &MODEL,
        &ARGS,
        &RESUME,
        &HOME,
        &STEPS,
        &REPEATS,
    ],
};
