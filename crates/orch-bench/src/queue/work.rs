//! The work that is measured: a task is submitted, its one job is claimed and completed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::Timestamp;
use orch_core::decide::{Policy, RunReport, Situation, Submission, run_ended};
use orch_core::ids::{AgentName, RepoName, Revision, RunId, StageName, TreeId, WorkerId};
use orch_core::job::{Fence, JobState};
use orch_core::outcome::Outcome;
use orch_core::pipeline::{OnFail, Pipeline, Producer, StageSpec};
use orch_core::stage::Gate;
use orch_core::task::Tested;
use orch_core::verdict::Verdict;
use orch_store::{Claim, ClaimRequest, Guard, RunRecord, Store, Usage};

/// The worker of every claim: in a service all claims are one worker's.
pub const WORKER: &str = "bench";
/// Longer than any benchmark, so that no lease ends in one.
const LEASE: Duration = Duration::from_hours(24);

/// What is submitted, claimed and reported, made once.
pub struct Work {
    worker: WorkerId,
    submission: Submission,
    tested: Tested,
    runs: AtomicU64,
}

impl Work {
    /// A task of one stage.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self {
            worker: WorkerId::new(WORKER)?,
            submission: Submission {
                repo: RepoName::new("r0")?,
                title: "Add subtraction".to_owned(),
                body: "With tests.".to_owned(),
                priority: 0,
                pipeline: pipeline()?,
            },
            tested: Tested {
                commit: Revision::new("a".repeat(40))?,
                code_tree: TreeId::new("b".repeat(40))?,
            },
            runs: AtomicU64::new(1),
        })
    }

    /// Submits a task to a repository.
    pub fn submit(&self, store: &Store, repo: &str) -> anyhow::Result<()> {
        let submission = Submission { repo: RepoName::new(repo)?, ..self.submission.clone() };
        store.submit(Timestamp::now(), &submission, None)?;
        Ok(())
    }

    /// Claims the next job.
    pub fn claim(&self, store: &Store) -> anyhow::Result<Option<Claim>> {
        Ok(store.claim(Timestamp::now(), &self.request())?)
    }

    /// Claims a job that has to be there.
    pub fn claimed(&self, store: &Store) -> anyhow::Result<Claim> {
        self.claim(store)?.context("there was no job to claim")
    }

    /// What a claim asks for.
    pub fn request(&self) -> ClaimRequest {
        ClaimRequest {
            worker_id: self.worker.clone(),
            run_id: RunId::from_parts(1, self.runs.fetch_add(1, Ordering::Relaxed)),
            lease: LEASE,
            labels: BTreeSet::new(),
            max_running: 1_000_000,
            max_per_repo: None,
            max_per_agent: None,
        }
    }

    /// The run ends well and its gate passes: the task is done.
    pub fn complete(&self, store: &Store, claim: &Claim) -> anyhow::Result<()> {
        let now = Timestamp::now();
        let outcome = Outcome::SuiteRan { exit_code: 0 };
        let verdict = Verdict::Pass { reasons: vec!["seen".to_owned()] };
        let head = Some(self.tested.commit.clone());
        let report = RunReport {
            outcome: outcome.clone(),
            verdict: verdict.clone(),
            head: head.clone(),
            tested: Some(self.tested.clone()),
        };
        let at = Situation { task: &claim.task, job: &claim.job, now };
        let decision = run_ended(at, report, &Policy::default(), 7);
        let fence = fence(claim)?;
        let record = RunRecord {
            run_id: fence.run_id.clone(),
            outcome,
            gate: Some((Gate::TestsPassed, verdict, head.clone())),
            end_commit: head,
            usage: Usage { input_tokens: 1, output_tokens: 2, cost_micros: 3 },
        };
        store.apply(now, &Guard::Run(fence), &decision, Some(&record))?;
        Ok(())
    }
}

/// What writes by the run show.
pub fn fence(claim: &Claim) -> anyhow::Result<Fence> {
    let JobState::Running(owner) = &claim.job.state else { bail!("a claimed job does not run") };
    let (run_id, run_epoch) = (owner.run_id.clone(), owner.run_epoch);
    Ok(Fence { job_id: claim.job.id, run_id, run_epoch })
}

/// One stage.
fn pipeline() -> anyhow::Result<Pipeline> {
    let testing = StageSpec {
        name: StageName::new("testing")?,
        producer: Producer::Agent(AgentName::new("test-runner")?),
        gate: Gate::TestsPassed,
        on_fail: OnFail::Retry,
        next: None,
        attempts: 3,
        merges: false,
        writes_code: false,
        labels: BTreeSet::new(),
    };
    Ok(Pipeline { stages: vec![testing], left_out: vec![] })
}

/// The same as it stands in the database.
pub fn pipeline_json() -> anyhow::Result<String> {
    Ok(serde_json::to_string(&pipeline()?)?)
}
