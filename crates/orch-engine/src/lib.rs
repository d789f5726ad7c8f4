//! The loops of the service: read, decide, apply, act. The one floor that joins store, processes,
//! git and agents; whatever is decided is decided in `orch-core`.

mod accounts;
pub mod active;
pub mod alerts;
pub mod artifacts;
mod breakers;
mod brief;
pub mod channels;
pub mod clock;
pub mod deploy;
mod disk;
pub mod engine;
pub mod error;
mod far_sides;
pub mod home;
mod http;
mod masks;
mod merge_gate;
mod money;
mod open;
pub mod operate;
pub mod orderly;
pub mod publish;
pub mod reaper;
pub mod reconciler;
pub mod register;
pub mod remote;
pub mod repo_config;
pub mod report;
pub mod retention;
pub mod run;
mod run_records;
mod runners;
pub mod service;
pub mod settings;
pub mod stats;
pub mod wake;
mod worker;

pub use engine::Engine;
pub use home::{Home, HomeError, HomeLock};
pub use open::{EngineConfig, OpenError, open_store};
pub use operate::{NewTaskRequest, OperateError, Operator, Submitted};
pub use register::RegisterRequest;
pub use report::EngineReport;
pub use run_records::{RunArtifact, RunLog};
pub use service::Service;
