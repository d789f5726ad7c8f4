//! Wire types, problem documents and the typed client of the HTTP API.
//!
//! Wire types are not domain types: they are what other programs rely on, so they change only with
//! the API. Requests refuse fields they do not know; answers may grow fields, and readers ignore
//! those they do not know.

mod alerts;
mod breakers;
mod client;
mod deploys;
mod event;
mod llm;
mod page;
mod problem;
mod queue;
mod repo;
mod requests;
mod run;
mod status;
mod task;

pub use alerts::AlertsReport;
pub use breakers::{BreakersReport, CauseItem, PausedItem, RetriedCause, RetryCauseRequest};
pub use client::{
    Client, ClientError, EventQuery, EventStream, LogEntry, LogStream, SubmittedTask, TaskQuery,
};
pub use deploys::{DeployTargetItem, DeploysReport, MonitorItem};
pub use event::EventItem;
pub use llm::{CallSiteItem, LlmCallItem, LlmReport, LlmSum, NamedSum, ShadowSum};
pub use page::{DEFAULT_LIMIT, MAX_LIMIT, Page};
pub use problem::{FieldError, PROBLEM_JSON, Problem};
pub use queue::{
    ChannelItem, GateHeld, GatePaused, JobCounts, MergeGateReport, NextItem, Preflight,
    QueueReport, ReaperReport, RepoGateReport, RunningItem, SerialGateReport, StagingRunnerReport,
    TargetPreflight, TestRunnerReport, WorkerItem,
};
pub use repo::RepoItem;
pub use requests::{
    AnswerRequest, ApproveRequest, CancelRequest, FreezeRequest, NewTask, PauseRequest,
    RegisterRepo, ResumeRequest, RetryRequest, UnfreezeRequest,
};
pub use run::{LogLine, RunArtifact, RunDetail, Usage};
pub use status::{DatabaseReport, Health, StatusReport, TaskCounts};
pub use task::{
    Cost, GateItem, JobItem, LeftOutItem, PauseItem, Progress, QuestionItem, StageItem, StageMark,
    TaskDetail, TaskSummary, Why,
};
