//! One thread of a node: submits tasks, claims whatever is next, and ends its run in any way. What
//! fails for the moment is tried again, as the service does.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Context;
use fastrand::Rng;
use jiff::Timestamp;
use orch_core::decide::{Policy, RunReport, Situation, Step, run_ended};
use orch_core::ids::{EventId, KeyPrefix, RepoName, Revision, RunId, WorkerId};
use orch_core::job::Fence;
use orch_core::outcome::Outcome;
use orch_core::stage::Gate;
use orch_core::verdict::{Finding, Verdict};
use orch_store::{
    Claim, ClaimRequest, EventFilter, Guard, MAX_EVENTS, NewRepo, RunRecord, Store, StoreError,
    Usage,
};

use super::ledger::{Ledger, lock};
use crate::request::{idempotency, submission};

/// How long the same is tried again: longer than a server takes to come back on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// Longer than a run of the load and a restart together: nobody's run is taken back.
const LEASE: Duration = Duration::from_mins(10);
/// Open tasks of one thread at most, so that the queue stays short.
const OPEN: usize = 4;

/// Works until told to stop.
pub fn work(store: &Store, ledger: &Ledger, name: &str, mut rng: Rng) -> anyhow::Result<()> {
    let mut thread = Thread { store, ledger, name, made: 0, ended: 0 };
    thread.work(&mut rng).with_context(|| format!("thread {name}"))
}

struct Thread<'a> {
    store: &'a Store,
    ledger: &'a Ledger,
    name: &'a str,
    made: usize,
    ended: usize,
}

impl Thread<'_> {
    fn work(&mut self, rng: &mut Rng) -> anyhow::Result<()> {
        self.register()?;
        while !self.ledger.stop.load(Ordering::Acquire) {
            if self.made < self.ended + OPEN {
                self.submit(rng)?;
            }
            self.claim_and_end(rng)?;
        }
        Ok(())
    }

    /// Tries again what passes; an error that does not is the torture's end.
    fn patiently<T>(
        &self,
        mut act: impl FnMut() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match act() {
                Err(error) if error.is_transient() && Instant::now() < deadline => {
                    self.ledger.failed.fetch_add(1, Ordering::AcqRel);
                }
                answer => return answer,
            }
        }
    }

    fn repo(&self) -> anyhow::Result<RepoName> {
        Ok(RepoName::new(self.name)?)
    }

    fn register(&self) -> anyhow::Result<()> {
        let repo = NewRepo {
            name: self.repo()?,
            key_prefix: KeyPrefix::new(self.name.to_uppercase())?,
            remote: format!("/srv/{}.git", self.name),
            default_branch: "main".to_owned(),
            checkout: None,
        };
        self.patiently(|| self.store.register_repo(Timestamp::now(), &repo))?;
        Ok(())
    }

    /// Under an idempotency key: an answer that was cut off is asked for once more.
    fn submit(&mut self, rng: &mut Rng) -> anyhow::Result<()> {
        self.made += 1;
        let title = format!("{} asks for the {}th time", self.name, self.made);
        let wanted = submission(self.repo()?, &title, "", rng.i32(0..3))?;
        let key = idempotency(&title);
        let mut tries = 0_u64;
        let submitted = self.patiently(|| {
            tries += 1;
            self.store.submit(Timestamp::now(), &wanted, Some(&key))
        })?;
        self.ledger.submitted_again.fetch_add(tries - 1, Ordering::AcqRel);
        let task = submitted.task.key.to_string();
        anyhow::ensure!(lock(&self.ledger.tasks).insert(task.clone()), "{task} was given twice");
        Ok(())
    }

    fn claim_and_end(&mut self, rng: &mut Rng) -> anyhow::Result<()> {
        // A claim without an answer may hold: its run id was used, and the next try has another.
        let claimed = self.patiently(|| {
            let request = ClaimRequest {
                worker_id: WorkerId::new(self.name).map_err(|error| StoreError::Invalid {
                    what: "worker",
                    reason: error.to_string(),
                })?,
                run_id: RunId::from_parts(Timestamp::now().as_millisecond(), rng.u64(..)),
                lease: LEASE,
                labels: std::collections::BTreeSet::new(),
                max_running: 1_000,
                max_per_repo: None,
                max_per_agent: None,
            };
            let claim = self.store.claim(Timestamp::now(), &request)?;
            Ok(claim.map(|claim| (claim, request.run_id)))
        })?;
        let Some((claim, run_id)) = claimed else { return Ok(()) };
        self.ledger.claimed.fetch_add(1, Ordering::AcqRel);
        let fence = Fence { job_id: claim.job.id, run_id, run_epoch: claim.job.run_epoch };
        if lock(&self.ledger.owned).insert(fence.job_id.0, fence.run_epoch).is_some() {
            self.ledger.double_owned.fetch_add(1, Ordering::AcqRel);
        }
        self.end(&claim, &fence, rng)
    }

    fn end(&mut self, claim: &Claim, fence: &Fence, rng: &mut Rng) -> anyhow::Result<()> {
        let (outcome, verdict) = outcome(rng.u32(..10));
        let head = Some(Revision::new(format!("{:040x}", rng.u128(..)))?);
        let judged = matches!(outcome, Outcome::SuiteRan { .. });
        let record = RunRecord {
            run_id: fence.run_id.clone(),
            outcome: outcome.clone(),
            gate: judged.then(|| (Gate::DevelopmentComplete, verdict.clone(), head.clone())),
            end_commit: head.clone(),
            usage: Usage { input_tokens: 1, output_tokens: 2, cost_micros: 3 },
        };
        let report = RunReport { outcome, verdict, head, tested: None };
        let at = Situation { task: &claim.task, job: &claim.job, now: Timestamp::now() };
        // Nobody sets a held task going here: nothing may use up its defers.
        let policy = Policy { defers: u32::MAX, bounces: u32::MAX, ..Policy::default() };
        let decision = run_ended(at, report, &policy, rng.u64(..));
        let guard = Guard::Run(fence.clone());
        let apply = || self.store.apply(Timestamp::now(), &guard, &decision, Some(&record));
        // Given free before it is asked for: from its commit on somebody else may have it.
        lock(&self.ledger.owned).remove(&fence.job_id.0);
        let mut cut_off = false;
        let ended = self.patiently(|| apply().inspect_err(|error| cut_off |= error.is_transient()));
        match ended {
            Ok(_) => {}
            // The first try held, and only its answer was cut off.
            Err(StoreError::Fenced { .. }) if cut_off => {}
            Err(error) => return Err(error.into()),
        }
        self.ended += usize::from(matches!(decision.step, Step::End(_) | Step::Hold(_)));
        self.ledger.ended.fetch_add(1, Ordering::AcqRel);
        // The same write once more, from a run that is over.
        self.ledger.stale_tried.fetch_add(1, Ordering::AcqRel);
        match self.patiently(apply) {
            Err(StoreError::Fenced { .. }) => Ok(()),
            Ok(_) => {
                self.ledger.stale_accepted.fetch_add(1, Ordering::AcqRel);
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn outcome(dice: u32) -> (Outcome, Verdict) {
    match dice {
        0 => {
            let reason = "no network".to_owned();
            (Outcome::TransientInfra { reason }, Verdict::refused("nothing ran"))
        }
        1 => {
            let findings = vec![Finding::new("wrong sum")];
            (Outcome::SuiteRan { exit_code: 1 }, Verdict::Fail { findings })
        }
        _ => {
            let reasons = vec!["seen".to_owned()];
            (Outcome::SuiteRan { exit_code: 0 }, Verdict::Pass { reasons })
        }
    }
}

/// How long a follower may take to hear of the last event after everybody has ended: it may be
/// another node's, and the connection that hears of it on its way back with patience.
const HEARING: Duration = Duration::from_mins(1);

/// Reads every event in its order, going on from the last number, as a stream does.
pub fn follow(store: &Store, ledger: &Ledger) -> anyhow::Result<()> {
    let (mut after, mut read, mut over_since) = (EventId(0), Vec::new(), None);
    loop {
        match store.events(after, &EventFilter::default(), MAX_EVENTS) {
            Ok(events) => {
                after = events.last().map_or(after, |event| event.id);
                read.extend(events.iter().map(|event| event.id.0));
                let last = ledger.last_event.load(Ordering::Acquire);
                if last > 0 {
                    let since = *over_since.get_or_insert_with(Instant::now);
                    if after.0 >= last || since.elapsed() > HEARING {
                        break;
                    }
                }
                if events.is_empty() {
                    std::thread::sleep(Duration::from_millis(20));
                }
            }
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error).context("a follower of events"),
        }
    }
    lock(&ledger.read).push(read);
    Ok(())
}
