//! Settings: the whole of `orch.toml` and of the `ORCH_*` environment, one file per section (S12).
//!
//! Text in, values out: the caller reads files and environment. A value comes from the
//! environment, else from the repository's `orch.toml`, else from the service's own, else from the
//! default. Every problem of a file is reported at once, each with its line. [`SECTIONS`] is the
//! one table from which unknown keys, `.env.example` and the reference are derived.

mod agents;
mod alerts;
mod breaker;
mod budgets;
mod command;
mod deploy;
mod document;
mod duration;
mod error;
mod example;
mod key;
mod kind;
mod launcher;
mod load;
mod merge_gate;
mod mode;
mod object_store;
mod pipeline;
mod prices;
mod reader;
mod reaper;
mod redact;
mod repository;
mod retention;
mod rules;
mod sandbox;
mod secret;
mod serial_gate;
mod service;
mod size;
mod ssh;
mod staging_runner;
mod suggest;
mod table;
mod test_runner;
mod unknown;

pub use agents::{Adapter, AgentHome, AgentSettings, Agents};
pub use alerts::{Alerts, Receiver};
pub use budgets::Budgets;
pub use command::CommandLine;
pub use deploy::{Deploy, Freshness};
pub use document::MAX_FILE_BYTES;
pub use duration::{format_duration, parse_duration};
pub use error::{Place, Placed, SettingsError, SettingsErrors, SettingsWarning};
pub use example::{env_example, reference_markdown};
pub use key::{Key, Scope, Section};
pub use kind::Kind;
pub use launcher::Launcher;
pub use load::{
    Env, Loaded, RepoSettings, ServiceSettings, SettingsFile, Sources, load_repo, load_service,
};
pub use merge_gate::MergeGate;
pub use mode::Mode;
pub use object_store::{Credentials, ObjectStore, S3Bucket};
pub use pipeline::{PipelineSettings, StageTable, Writes};
pub use reader::{Setting, Source};
pub use reaper::Reaper;
pub use redact::Redact;
pub use repository::Repository;
pub use retention::Retention;
pub use sandbox::{NetworkPolicy, Sandbox, SandboxProfile};
pub use secret::Secret;
pub use service::{LogFormat, Service};
pub use size::{format_size, parse_size};
pub use ssh::Ssh;
pub use staging_runner::StagingRunner;
pub(crate) use suggest::nearest;
pub use table::{AGENT_ENV, SECTIONS};
pub use test_runner::TestRunner;
