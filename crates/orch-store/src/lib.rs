//! All SQL: the schema, rows into values, and every operation as one transaction in one file.
//!
//! [`Store`] is what the floors above hold. Below it: [`Store`] → a writer thread with group commit
//! and a pool of readers, or a pool of connections to a server → `ops` (engine-neutral statements)
//! → `engine` (SQLite, PostgreSQL). Nothing here
//! decides anything: decisions come from `orch-core` and are applied under a [`Guard`].

mod engine;
mod error;
mod ops;
mod remedy;
mod rows;
mod store;

pub use engine::Value;
pub use engine::migrate::{Applied, MigrationPlan, SchemaInfo};
pub use engine::recorded::{Recording, Statement};
pub use error::{Cause, Result, StoreError};
pub use ops::apply::RunRecord;
pub use ops::breakers::PausedChannel;
pub use ops::channels::{Channel, NewRoute};
pub use ops::claim::{Claim, ClaimRequest};
pub use ops::deploys::{DeployEnd, LockFence, LockRequest, NewDeploy, NewMonitor, NewStep};
pub use ops::events::{EventFilter, MAX_EVENTS};
pub use ops::gate_view::RepoGate;
pub use ops::guard::Guard;
pub use ops::llm_calls::{CallSpend, LlmCall, LlmFilter, LlmSum, LlmSums, NewLlmCall};
pub use ops::outbox::OutboxCounts;
pub use ops::prune_tasks::{DueTask, DueTaskCounts, DueTasks, PrunedTasks};
pub use ops::questions::Question;
pub use ops::queue_snapshot::{JobCounts, QueueSnapshot};
pub use ops::shadows::{Shadow, ShadowSum};
pub use ops::snapshot::StateSnapshot;
pub use ops::status_counts::StatusCounts;
pub use ops::submit::{IdempotencyKey, Submitted};
pub use ops::tasks::{MAX_PAGE, Page, TaskFilter, TaskPage, TaskWord};
pub use rows::deploy::{Deploy, DeployStep, DeployTarget, Monitor, MonitorState, TargetLock};
pub use rows::gate_result::GateResult;
pub use rows::outbox::OutboxItem;
pub use rows::repo::{Freeze, NewRepo, Repo};
pub use rows::run::{Run, Usage};
pub use rows::worker::{Worker, WorkerRow};
pub use store::{DatabaseKind, Store, StoreOptions, Subscriber, WriterStats};
