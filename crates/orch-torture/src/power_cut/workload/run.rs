//! A run of the load: from its claim to its end, which may be any.

use std::time::Duration;

use fastrand::Rng;
use orch_core::decide::{
    Decision, Loss, Policy, RunReport, Situation, Step, TaskEnd, run_ended, run_lost,
};
use orch_core::ids::{Revision, RunId, WorkerId};
use orch_core::job::Fence;
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::stage::Gate;
use orch_core::verdict::{Finding, Verdict};
use orch_store::{Claim, ClaimRequest, Guard, RunRecord, StoreError, Usage};

use super::hand::At;
use crate::power_cut::ack::Ack;

/// How long a claim holds; the load's clock passes it often, as nobody looks.
const LEASE: Duration = Duration::from_secs(45);

/// Who works, and by which dice.
pub(super) struct Work<'a> {
    pub at: &'a At<'a>,
    pub worker: &'a WorkerId,
    pub rng: &'a mut Rng,
}

impl Work<'_> {
    /// Claims and works whatever is next.
    pub(super) fn work(&mut self) -> anyhow::Result<()> {
        let request = ClaimRequest {
            worker_id: self.worker.clone(),
            run_id: RunId::from_parts(self.at.clock.now().as_millisecond(), self.rng.u64(..)),
            lease: LEASE,
            labels: std::collections::BTreeSet::new(),
            max_running: 1_000,
            max_per_repo: None,
            max_per_agent: None,
        };
        let Some(claim) = self.at.store.claim(self.at.clock.now(), &request)? else {
            return Ok(());
        };
        let job = &claim.job;
        let (run, epoch) = (request.run_id.clone(), job.run_epoch);
        let worker = request.worker_id.clone();
        self.at.journal.note(&Ack::Claimed { job: job.id, epoch, run: run.clone(), worker })?;
        let fence = Fence { job_id: job.id, run_id: run, run_epoch: epoch };
        // A run is left standing, as by a worker that died.
        if self.rng.u32(..20) == 0 {
            return Ok(());
        }
        match self.drive(&claim, &fence) {
            Err(error) if lost(&error) => Ok(()),
            done => done,
        }
    }

    fn drive(&mut self, claim: &Claim, fence: &Fence) -> anyhow::Result<()> {
        let run = fence.run_id.clone();
        let pid = self.rng.u32(2..40_000);
        let process =
            ProcessIdentity { boot_id: "one".into(), pid, start_time: self.rng.u64(1..1 << 40) };
        self.at.store.stamp_process(fence, &process)?;
        self.at.journal.note(&Ack::Process { run: run.clone(), pid })?;
        let base = Revision::new(format!("{:040x}", self.rng.u128(..)))?;
        self.at.store.stamp_base(fence, &base)?;
        self.at.journal.note(&Ack::Base { run, base: base.to_string() })?;
        for _ in 0..self.rng.usize(..3) {
            self.beat(fence)?;
        }
        self.end(claim, fence)
    }

    fn beat(&self, fence: &Fence) -> anyhow::Result<()> {
        let now = self.at.clock.now();
        let lost = self.at.store.heartbeat(now, self.worker, LEASE, std::slice::from_ref(fence))?;
        if !lost.is_empty() {
            return Ok(());
        }
        let lease_until = now.as_millisecond() + LEASE.as_millis() as i64;
        self.at.journal.note(&Ack::Beat { job: fence.job_id, epoch: fence.run_epoch, lease_until })
    }

    fn end(&mut self, claim: &Claim, fence: &Fence) -> anyhow::Result<()> {
        let (job, task) = self.at.store.job_with_task(claim.job.id)?;
        let now = self.at.clock.now();
        let situation = Situation { task: &task, job: &job, now };
        let policy = Policy::default();
        let (decision, record) = match self.rng.u32(..10) {
            0 => {
                let loss = Loss::Vanished { reason: "no such process".to_owned() };
                (run_lost(situation, &loss, &policy), None)
            }
            dice => {
                let (outcome, verdict) = outcome(dice);
                let head = Some(Revision::new(format!("{:040x}", self.rng.u128(..)))?);
                let judged = matches!(outcome, Outcome::SuiteRan { .. });
                let gate = (Gate::DevelopmentComplete, verdict.clone(), head.clone());
                let record = RunRecord {
                    run_id: fence.run_id.clone(),
                    outcome: outcome.clone(),
                    gate: judged.then_some(gate),
                    end_commit: head.clone(),
                    usage: Usage { input_tokens: 1, output_tokens: 2, cost_micros: 3 },
                };
                let report = RunReport { outcome, verdict, head, tested: None };
                (run_ended(situation, report, &policy, self.rng.u64(..)), Some(record))
            }
        };
        let guard = Guard::Run(fence.clone());
        let next = self.at.store.apply(now, &guard, &decision, record.as_ref())?;
        self.at.journal.note(&Ack::Applied {
            run: fence.run_id.clone(),
            job: job.id,
            epoch: fence.run_epoch,
            status: status(&decision).to_owned(),
            next,
            over: matches!(decision.step, Step::End(_)),
        })
    }
}

/// True where the run had lost its job: its owner cancelled it.
fn lost(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(StoreError::Fenced { .. }))
}

fn outcome(dice: u32) -> (Outcome, Verdict) {
    match dice {
        1 => {
            let reason = "no network".to_owned();
            (Outcome::TransientInfra { reason }, Verdict::refused("nothing ran"))
        }
        2 => {
            let reason = "no such program".to_owned();
            (Outcome::PermanentEnv { reason }, Verdict::refused("nothing ran"))
        }
        3 | 4 => {
            let findings = vec![Finding::new("wrong sum")];
            (Outcome::SuiteRan { exit_code: 1 }, Verdict::Fail { findings })
        }
        _ => {
            let reasons = vec!["seen".to_owned()];
            (Outcome::SuiteRan { exit_code: 0 }, Verdict::Pass { reasons })
        }
    }
}

/// The word that the job's row has after the decision.
fn status(decision: &Decision) -> &'static str {
    match &decision.step {
        Step::Next { result, .. } => result.status(),
        Step::Requeue { .. } => "queued",
        Step::Hold(_) => "held",
        Step::End(TaskEnd::Done) => "succeeded",
        Step::End(TaskEnd::Cancelled { .. }) => "cancelled",
    }
}
