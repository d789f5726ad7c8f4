//! One thread of the load: a worker with a repository of its own, working whatever is queued.

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use orch_core::decide::{
    Decision, Loss, Policy, RunReport, Situation, Step, TaskEnd, cancelled, retried, run_ended,
    run_lost,
};
use orch_core::event::{EventKind, NewEvent};
use orch_core::ids::{KeyPrefix, RepoName, Revision, RunId, TaskKey, WorkerId};
use orch_core::job::{Fence, Job, JobState};
use orch_core::outcome::Outcome;
use orch_core::process::ProcessIdentity;
use orch_core::stage::Gate;
use orch_core::task::Task;
use orch_core::verdict::{Finding, Verdict};
use orch_store::{
    Claim, ClaimRequest, Guard, NewRepo, RunRecord, Store, StoreError, Usage, WorkerRow,
};

use super::Clock;
use super::journal::Journal;
use super::request::{idempotency, submission};
use crate::power_cut::ack::Ack;

/// How long a claim holds; the load's clock passes it often, as nobody looks.
const LEASE: Duration = Duration::from_secs(45);
/// The longest request: over a page, so that rows overflow.
const LONGEST_BODY: usize = 6_000;

/// A thread of the load.
#[derive(Debug)]
pub(super) struct Hand {
    name: String,
    rng: Rng,
    /// What it alone does, by what it is and to whom, and how often it was done.
    counts: BTreeMap<String, usize>,
    /// The tasks it submitted.
    own: Vec<TaskKey>,
    made: u64,
}

/// The world that a step happens in.
struct At<'a> {
    store: &'a Store,
    journal: &'a Journal,
    clock: &'a Clock,
}

impl Hand {
    pub(super) fn new(number: usize, seed: u64) -> Self {
        let rng = Rng::with_seed(seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (counts, own) = (BTreeMap::new(), Vec::new());
        Self { name: format!("h{number}"), rng, counts, own, made: 0 }
    }

    /// Does one thing, or a few that belong together.
    pub(super) fn step(
        &mut self,
        store: &Store,
        journal: &Journal,
        clock: &Clock,
    ) -> anyhow::Result<()> {
        let at = At { store, journal, clock };
        if self.made == 0 {
            self.made = 1;
            self.register(&at)?;
        }
        match self.rng.u32(..100) {
            0..20 => self.submit(&at),
            20..72 => self.work(&at),
            72..78 => self.switch(&at, EventKind::TaskPaused),
            78..84 => self.switch(&at, EventKind::TaskResumed),
            84..86 => self.cancel(&at),
            86..90 => self.retry(&at),
            90..92 => self.switch_repo(&at, EventKind::RepoFrozen),
            92..95 => self.switch_repo(&at, EventKind::RepoUnfrozen),
            95..97 => self.hear(&at),
            _ => self.note(&at),
        }
    }

    fn repo(&self) -> anyhow::Result<RepoName> {
        Ok(RepoName::new(self.name.clone())?)
    }

    fn worker(&self) -> anyhow::Result<WorkerId> {
        Ok(WorkerId::new(self.name.clone())?)
    }

    fn register(&self, at: &At<'_>) -> anyhow::Result<()> {
        let repo = NewRepo {
            name: self.repo()?,
            key_prefix: KeyPrefix::new(self.name.to_uppercase())?,
            remote: format!("/srv/{}.git", self.name),
            default_branch: "main".to_owned(),
            checkout: None,
        };
        at.store.register_repo(at.clock.now(), &repo)?;
        at.journal.note(&Ack::Registered { repo: repo.name })
    }

    fn submit(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        self.made += 1;
        let title = format!("{} asks for the {}th time", self.name, self.made);
        let body = "naïve — ".repeat(self.rng.usize(..LONGEST_BODY) / 10);
        let submission = submission(self.repo()?, &title, &body, self.rng.i32(0..3))?;
        let idempotency = idempotency(&title);
        let submitted = at.store.submit(at.clock.now(), &submission, Some(&idempotency))?;
        self.own.push(submitted.task.key.clone());
        let key = submitted.task.key;
        at.journal.note(&Ack::Submitted { key, title, idempotency: idempotency.key })
    }

    /// A run from its claim to its end.
    fn work(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let request = ClaimRequest {
            worker_id: self.worker()?,
            run_id: RunId::from_parts(at.clock.now().as_millisecond(), self.rng.u64(..)),
            lease: LEASE,
            max_running: 1_000,
            max_per_repo: None,
            max_per_agent: None,
        };
        let Some(claim) = at.store.claim(at.clock.now(), &request)? else { return Ok(()) };
        let job = &claim.job;
        let (run, epoch) = (request.run_id.clone(), job.run_epoch);
        let worker = request.worker_id.clone();
        at.journal.note(&Ack::Claimed { job: job.id, epoch, run: run.clone(), worker })?;
        let fence = Fence { job_id: job.id, run_id: run, run_epoch: epoch };
        // A run is left standing, as by a worker that died.
        if self.rng.u32(..20) == 0 {
            return Ok(());
        }
        match self.drive(at, &claim, &fence) {
            Err(error) if lost(&error) => Ok(()),
            done => done,
        }
    }

    fn drive(&mut self, at: &At<'_>, claim: &Claim, fence: &Fence) -> anyhow::Result<()> {
        let run = fence.run_id.clone();
        let pid = self.rng.u32(2..40_000);
        let process =
            ProcessIdentity { boot_id: "one".into(), pid, start_time: self.rng.u64(1..1 << 40) };
        at.store.stamp_process(fence, &process)?;
        at.journal.note(&Ack::Process { run: run.clone(), pid })?;
        let base = Revision::new(format!("{:040x}", self.rng.u128(..)))?;
        at.store.stamp_base(fence, &base)?;
        at.journal.note(&Ack::Base { run, base: base.to_string() })?;
        for _ in 0..self.rng.usize(..3) {
            self.beat(at, fence)?;
        }
        self.end(at, claim, fence)
    }

    fn beat(&self, at: &At<'_>, fence: &Fence) -> anyhow::Result<()> {
        let now = at.clock.now();
        let lost = at.store.heartbeat(now, &self.worker()?, LEASE, std::slice::from_ref(fence))?;
        if !lost.is_empty() {
            return Ok(());
        }
        let lease_until = now.as_millisecond() + LEASE.as_millis() as i64;
        at.journal.note(&Ack::Beat { job: fence.job_id, epoch: fence.run_epoch, lease_until })
    }

    fn end(&mut self, at: &At<'_>, claim: &Claim, fence: &Fence) -> anyhow::Result<()> {
        let (job, task) = at.store.job_with_task(claim.job.id)?;
        let now = at.clock.now();
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
        let next = at.store.apply(now, &guard, &decision, record.as_ref())?;
        at.journal.note(&Ack::Applied {
            run: fence.run_id.clone(),
            job: job.id,
            epoch: fence.run_epoch,
            status: status(&decision).to_owned(),
            next,
            over: matches!(decision.step, Step::End(_)),
        })
    }

    /// Pauses or resumes a task of its own.
    fn switch(&mut self, at: &At<'_>, kind: EventKind) -> anyhow::Result<()> {
        let Some(key) = self.rng.choice(self.own.clone()) else { return Ok(()) };
        let now = at.clock.now();
        let changed = match kind {
            EventKind::TaskPaused => at.store.pause(now, &key, Some("for a while")),
            _ => at.store.resume(now, &key),
        };
        match changed {
            Ok(true) => self.happened(at, kind, Some(key), None),
            Ok(false) | Err(StoreError::Conflict { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn switch_repo(&mut self, at: &At<'_>, kind: EventKind) -> anyhow::Result<()> {
        let (repo, now) = (self.repo()?, at.clock.now());
        let changed = match kind {
            EventKind::RepoFrozen => at.store.freeze(now, &repo, None)?,
            _ => at.store.unfreeze(now, &repo)?,
        };
        if changed { self.happened(at, kind, None, Some(repo)) } else { Ok(()) }
    }

    fn happened(
        &mut self,
        at: &At<'_>,
        kind: EventKind,
        task: Option<TaskKey>,
        repo: Option<RepoName>,
    ) -> anyhow::Result<()> {
        let whom = task.as_ref().map_or_else(|| self.name.clone(), ToString::to_string);
        let nth = self.counts.entry(format!("{} {whom}", kind.name())).or_default();
        *nth += 1;
        at.journal.note(&Ack::Happened { kind, task, repo, nth: *nth })
    }

    fn standing(&mut self, at: &At<'_>) -> anyhow::Result<Option<(Task, Job)>> {
        let Some(key) = self.rng.choice(self.own.clone()) else { return Ok(None) };
        let (task, job) = at.store.standing(&key)?;
        Ok(job.map(|job| (task, job)))
    }

    fn cancel(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let Some((task, job)) = self.standing(at)? else { return Ok(()) };
        let now = at.clock.now();
        let situation = Situation { task: &task, job: &job, now };
        let Ok(decision) = cancelled(situation, "not needed") else { return Ok(()) };
        let guard = Guard::Any { job_id: job.id, run_epoch: job.run_epoch };
        match at.store.apply(now, &guard, &decision, None) {
            Ok(_) => at.journal.note(&Ack::Cancelled { key: task.key }),
            Err(StoreError::Fenced { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn retry(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let Some((task, job)) = self.standing(at)? else { return Ok(()) };
        let now = at.clock.now();
        let Ok(decision) = retried(Situation { task: &task, job: &job, now }) else {
            return Ok(());
        };
        if !matches!(job.state, JobState::Queued { .. } | JobState::Held { .. }) {
            return Ok(());
        }
        let guard = Guard::Idle { job_id: job.id, run_epoch: job.run_epoch };
        match at.store.apply(now, &guard, &decision, None) {
            Ok(_) => self.happened(at, EventKind::TaskRetried, Some(task.key), None),
            Err(StoreError::Fenced { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn hear(&self, at: &At<'_>) -> anyhow::Result<()> {
        let now = at.clock.now();
        let row = WorkerRow {
            id: self.worker()?,
            host: "here".to_owned(),
            pid: 7,
            version: "1".to_owned(),
            capacity: 1_000,
            labels: vec![],
        };
        at.store.worker_beat(now, &row)?;
        at.journal.note(&Ack::Heard { worker: row.id, at: now.as_millisecond() })
    }

    fn note(&mut self, at: &At<'_>) -> anyhow::Result<()> {
        let token = format!("{:032x}", self.rng.u128(..));
        let event = NewEvent {
            kind: EventKind::RunAdopted,
            task: None,
            repo: None,
            run_id: None,
            message: token.clone(),
            data: serde_json::json!({}),
        };
        at.store.record_events(at.clock.now(), &[event])?;
        at.journal.note(&Ack::Noted { token })
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
