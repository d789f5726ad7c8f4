//! What loads on a store ask for: tasks of two stages, each under a key of its own.

use anyhow::Context as _;
use orch_core::decide::Submission;
use orch_core::ids::{AgentName, RepoName, StageName};
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::stage::Gate;
use orch_store::IdempotencyKey;

/// What makes a request with that title one with an earlier of its kind.
pub(crate) fn idempotency(title: &str) -> IdempotencyKey {
    IdempotencyKey {
        scope: "load".to_owned(),
        key: title.replace(' ', "-"),
        body_hash: title.len().to_string(),
    }
}

/// A request for a task of two stages.
pub(crate) fn submission(
    repo: RepoName,
    title: &str,
    body: &str,
    priority: i32,
) -> anyhow::Result<Submission> {
    let (title, body) = (title.to_owned(), body.to_owned());
    let pipeline = pipeline().context("a load's pipeline")?;
    Ok(Submission { repo, title, body, priority, pipeline })
}

/// `development` (retries) → `testing` (bounces).
fn pipeline() -> anyhow::Result<Pipeline> {
    let (development, testing) = (StageName::new("development")?, StageName::new("testing")?);
    let stage = |name: &StageName, agent: &str, gate, on_fail, next| -> anyhow::Result<StageSpec> {
        Ok(StageSpec {
            name: name.clone(),
            producer: Producer::Agent(AgentName::new(agent)?),
            gate,
            on_fail,
            next,
            attempts: 3,
            merges: false,
            writes_code: true,
            labels: std::collections::BTreeSet::new(),
        })
    };
    let next = Some(testing.clone());
    let first = stage(&development, "developer", Gate::DevelopmentComplete, OnFail::Retry, next)?;
    let bounce = OnFail::Bounce(development);
    let second = stage(&testing, "test-runner", Gate::TestsPassed, bounce, None)?;
    Ok(Pipeline { stages: vec![first, second], left_out: vec![] })
}
